import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import express, { type Express, type RequestHandler } from 'express';
import helmet from 'helmet';
import { Histogram, type Registry } from 'prom-client';
import { createByteBudget } from './byte-budget.ts';
import { answerClientFaults } from './client-faults.ts';
import { allowOrigins } from './cors.ts';
import { refuseForeign, type AllowedHosts } from './foreign-requests.ts';
import { readiness, type ReadinessCheck } from './health.ts';
import { inTurn } from './in-turn.ts';
import { type Logger, setTicker, setTimer } from '@offload/process';
import { messagesOf } from './messages-of.ts';
import { methodNotAllowed, notFound } from './problem.ts';
import { problemHandler } from './problem-handler.ts';
import { originForm, requestHead } from './request-head.ts';

/** Most time for the head of a request, in milliseconds. */
const HEAD_TIMEOUT_MS = 10_000;
/**
 * Milliseconds that an idle connection is kept. A proxy in front (nginx, a load balancer) keeps its side for 60 seconds
 * and must close first. Otherwise a request that the proxy sends while this side closes is lost.
 */
const KEEP_ALIVE_MS = 65_000;
/**
 * Milliseconds without a byte in either direction, after which a connection is cut: its client does not read the
 * answer. Held answers are silent for a minute at most, and event streams for 15 seconds.
 */
const SILENCE_MS = 120_000;
/** Interval between checks for requests that take too long, in milliseconds. */
const LOOK_EVERY_MS = 1_000;

/** What `createHttpService` needs to make the application of a process. */
export interface HttpServiceOptions {
  log: Logger;
  metrics: Registry;
  /** The dependencies that `/readyz` checks, by name. */
  checks: Record<string, ReadinessCheck>;
  /** Origins whose pages may call from a browser, or `*`: see `allowOrigins`. @default [] */
  corsOrigins?: readonly string[];
  /** Hosts that requests may name: see `allowedHosts`. @default any */
  allowedHosts?: AllowedHosts;
  /** Most bytes of large bodies and unread answers at once: see `ByteBudget`. @default 33_554_432 (32 MiB) */
  maxBytesInFlight?: number;
  /** Adds the process's own routes. */
  routes?: (app: Express) => void;
}

/**
 * Makes an Express application with the answers of every Offload process: `/healthz`, `/readyz`, `/metrics`, and
 * problem details for errors. Pass it to {@link listen}.
 *
 * @example
 * const app = createHttpService({
 *   log,
 *   metrics,
 *   checks: { database: { required: true, check: answers(() => database.ping()) } },
 *   routes: (service) => service.get('/v1/books', listBooks),
 * });
 */
export function createHttpService(options: HttpServiceOptions): Express {
  const {
    log,
    metrics,
    checks,
    corsOrigins = [],
    allowedHosts = 'any',
    maxBytesInFlight = 32 * 1024 ** 2,
    routes,
  } = options;
  const app = express();
  app.locals['budget'] = createByteBudget(maxBytesInFlight, metrics);
  app.disable('x-powered-by');
  app.set('etag', false);
  app.enable('case sensitive routing');
  app.enable('strict routing');
  app.set('query parser', 'simple');
  // Express answers 304 to any `If-None-Match: *`, even instead of a 202. Routes that have an ETag compare it
  // themselves.
  Object.defineProperty(app.request, 'fresh', { value: false });
  app.use(securityHeaders());
  app.use(requestId);
  app.use(measured(metrics));
  app.use(requestHead);
  app.use(allowOrigins(corsOrigins));
  app.use(refuseForeign(allowedHosts, corsOrigins));
  const readOnly = methodNotAllowed('GET, HEAD');
  app
    .route('/healthz')
    .get((_request, response) => void response.json({ status: 'alive' }))
    .all(readOnly);
  app.route('/readyz').get(readiness(checks)).all(readOnly);
  app.route('/metrics').get(printed(metrics)).all(readOnly);
  routes?.(app);
  app.use(notFound);
  app.use(problemHandler(log));
  return app;
}

/** Where `listen` listens, and how long a request may take. */
export interface ListenOptions {
  host: string;
  /** 0 lets the operating system choose a free port. */
  port: number;
  /** Milliseconds in which a whole request must arrive; 10 seconds at most for its head. @default 30_000 */
  requestTimeoutMs?: number;
}

/**
 * Listens, and closes on demand: no new connections, idle ones closed, answers under way finished, with `Connection: close`.
 * What is not finished after `graceMs` (a request that never comes to its end, say) is cut off; by default it is waited for.
 *
 * A malformed or slow request gets a problem, and its connection is closed: see `answerClientFaults`. An answer may
 * take two minutes to begin, and any time to end.
 *
 * @throws Error with the code `EADDRINUSE` if the port is taken
 */
export async function listen(
  app: RequestListener,
  { host, port, requestTimeoutMs = 30_000 }: ListenOptions,
): Promise<{ port: number; close(graceMs?: number): Promise<void> }> {
  const server = createServer({
    ...messagesOf(app),
    requestTimeout: requestTimeoutMs,
    headersTimeout: Math.min(HEAD_TIMEOUT_MS, requestTimeoutMs),
    connectionsCheckingInterval: Math.min(LOOK_EVERY_MS, requestTimeoutMs),
    keepAliveTimeout: KEEP_ALIVE_MS,
    requireHostHeader: false, // `requestHead` does, and answers with a problem
  });
  server.timeout = SILENCE_MS;
  const track = answerClientFaults(server);
  const act = inTurn(app);
  const sockets = new Set<AnsweringSocket>();
  server.on('connection', (socket: AnsweringSocket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  const handle: RequestListener = (request, response) => {
    track(request, response);
    if (!server.listening) response.shouldKeepAlive = false;
    // The service speaks no other protocol, but the parser would read what follows as another protocol.
    if (request.headers.upgrade !== undefined) response.shouldKeepAlive = false;
    request.url = originForm(request.url ?? '/');
    act(request, response);
  };
  server.on('request', handle);
  server.on('checkContinue', (request, response) => {
    // The client sends the body only when a route (`jsonBody`) asks for it. Close the connection afterwards, because
    // the start of the next request is unknown if no route asks.
    response.shouldKeepAlive = false;
    handle(request, response);
  });
  server.on('checkExpectation', handle); // `requestHead` answers it
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  return {
    port: (server.address() as { port: number }).port,
    close(graceMs) {
      // A client that hears so sends its next request elsewhere. Otherwise it might cross the closing, or hold that up.
      for (const { _httpMessage: response } of sockets) if (response) response.shouldKeepAlive = false;
      return close(server, graceMs);
    },
  };
}

/** Node.js keeps the response that a connection is being answered with. A set of responses here would cost each request CPU. */
type AnsweringSocket = Socket & { _httpMessage?: ServerResponse | null };

function close(server: Server, graceMs?: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const cut = graceMs === undefined ? undefined : setTimer(() => server.closeAllConnections(), graceMs);
    // A connection whose last answer ends after this moment would stay open for the keep-alive time.
    const sweep = setTicker(() => server.closeIdleConnections(), 50);
    server.close((error) => {
      clearInterval(sweep);
      clearTimeout(cut);
      if (error) reject(error);
      else resolve();
    });
  });
}

/** Sets the headers of `helmet`, computed once: they never change, and its fourteen middlewares would cost more. */
function securityHeaders(): RequestHandler {
  const headers: [name: string, value: string][] = [];
  const recorder = { setHeader: (...header: [string, string]) => headers.push(header), removeHeader: () => undefined };
  helmet()({} as IncomingMessage, recorder as unknown as ServerResponse, () => undefined);
  return (_request, response, next) => {
    for (const [name, value] of headers) response.setHeader(name, value);
    next();
  };
}

/** Sets `X-Request-Id` on every response: the id of the request if that is harmless, otherwise a new one. */
const requestId: RequestHandler = (request, response, next) => {
  const given = request.get('x-request-id');
  response.set('x-request-id', given && /^[\x21-\x7e]{1,128}$/.test(given) ? given : randomUUID());
  next();
};

/**
 * Answers `GET /metrics`. Simultaneous requests share one print, because printing blocks the process for milliseconds.
 */
function printed(registry: Registry): RequestHandler {
  let print: Promise<string> | null = null;
  return async (_request, response) => {
    print ??= registry.metrics().finally(() => (print = null));
    response.type(registry.contentType).send(await print);
  };
}

/** The methods that metrics name. Others become "other", because a client could add any number of labels. */
const methods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS']);

function measured(registry: Registry): RequestHandler {
  /**
   * A rise of the time, or of status 5xx, has its reason in the process's log. For `POST /v1/jobs` look at PostgreSQL
   * first. Held requests (`Prefer: wait`) and event streams are long by design.
   */
  const duration = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'From the request to the end of its answer; the method of what is not allowed is "other"',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.005, 0.02, 0.1, 0.5, 2, 10, 60],
    registers: [registry],
  });
  return (request, response, next) => {
    const stop = duration.startTimer();
    response.on('finish', () => {
      const { route, method } = request;
      const { statusCode: status } = response;
      const isCall = status !== 405 && methods.has(method);
      stop({ method: isCall ? method : 'other', route: (route?.path as string | undefined) ?? 'none', status });
    });
    next();
  };
}
