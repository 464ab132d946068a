import { randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import express, { type Express, type RequestHandler } from 'express';
import helmet from 'helmet';
import { Histogram, type Registry } from 'prom-client';
import { readiness, type ReadinessCheck } from './health.ts';
import type { Logger } from './logger.ts';
import { notFound, problemHandler } from './problem.ts';

export interface HttpServiceOptions {
  log: Logger;
  metrics: Registry;
  /** What `/readyz` asks, by name. */
  checks: Record<string, ReadinessCheck>;
  /** Adds the process's own routes. */
  routes?: (app: Express) => void;
}

/** An Express application with what every process answers: `/healthz`, `/readyz`, `/metrics`, and problems for errors. */
export function createHttpService(options: HttpServiceOptions): Express {
  const { log, metrics, checks, routes } = options;
  const app = express();
  app.disable('x-powered-by');
  app.set('etag', false);
  app.set('query parser', 'simple');
  app.use(helmet());
  app.use(requestId);
  app.use(measured(metrics));
  app.get('/healthz', (_request, response) => void response.json({ status: 'alive' }));
  app.get('/readyz', readiness(checks));
  app.get('/metrics', async (_request, response) => {
    response.type(metrics.contentType).send(await metrics.metrics());
  });
  routes?.(app);
  app.use(notFound);
  app.use(problemHandler(log));
  return app;
}

/**
 * Listens, and closes on demand: no new connections, idle ones closed, answers under way finished. What is not finished
 * after `graceMs` (a request that never comes to its end, say) is cut off; by default it is waited for.
 *
 * @throws when the port is taken
 */
export async function listen(
  app: Express,
  { host, port }: { host: string; port: number },
): Promise<{ port: number; close(graceMs?: number): Promise<void> }> {
  const server = createServer(app);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  return { port: (server.address() as { port: number }).port, close: (graceMs) => close(server, graceMs) };
}

function close(server: Server, graceMs?: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const cut = graceMs === undefined ? undefined : setTimeout(() => server.closeAllConnections(), graceMs);
    // Connections whose last answer ends after this moment would otherwise be kept alive for their time.
    const sweep = setInterval(() => server.closeIdleConnections(), 50);
    server.close((error) => {
      clearInterval(sweep);
      clearTimeout(cut);
      if (error) reject(error);
      else resolve();
    });
  });
}

/** Every response carries `X-Request-Id`: the request's own where it sends a harmless one. */
const requestId: RequestHandler = (request, response, next) => {
  const given = request.get('x-request-id');
  response.set('x-request-id', given && /^[\x21-\x7e]{1,128}$/.test(given) ? given : randomUUID());
  next();
};

function measured(registry: Registry): RequestHandler {
  const duration = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'From the request to the end of its answer',
    labelNames: ['method', 'route', 'status'],
    registers: [registry],
  });
  return (request, response, next) => {
    const stop = duration.startTimer();
    response.on('finish', () => {
      const route: string = request.route?.path ?? 'none';
      stop({ method: request.method, route, status: response.statusCode });
    });
    next();
  };
}
