import type { Agent, buildConnector } from 'undici';
import { readBody, type OutboundResponse } from './body.ts';
import {
  checkedAddresses,
  connectBySocket,
  oncePerName,
  resolveBySystem,
  servernameOf,
  type Connect,
  type Resolve,
} from './dial.ts';
import {
  InvalidRequestError,
  NameTimeoutError,
  NetworkFaultError,
  RefusedTargetError,
  ResponseTooLargeError,
  UnsupportedCodingError,
} from './errors.ts';
import { checkedRequest, type OutboundRequest } from './request.ts';
import { undici } from './undici.ts';

/** Options of {@link createOutbound}. */
export interface OutboundOptions {
  /** Allows loopback and private ranges. Link-local and metadata addresses are never allowed. @default false */
  allowPrivateTargets?: boolean;
  /** Most time for resolving the name, and again for connecting, in milliseconds. @default 10_000 */
  connectTimeoutMs?: number;
  /** Resolves names. It is called for a name only while no lookup of it is running. @default the system's resolver */
  resolve?: Resolve;
  /** Opens connections. @default a TCP socket, with TLS for https */
  connect?: Connect;
}

/** Longest head of a response, in bytes. Node.js has the same limit. */
const MAX_HEAD_BYTES = 16_384;

/** Sends HTTP requests to targets that users name, guarded against SSRF. */
export interface Outbound {
  readonly allowPrivateTargets: boolean;
  /**
   * Sends one request and resolves with the result of `read`. The response can be read only until `read` is settled;
   * the rest is dropped. It follows no redirects and uses no proxy of the environment.
   *
   * Rejects with `RefusedTargetError`, `InvalidRequestError`, `ResponseTooLargeError`, `UnsupportedCodingError`,
   * `NetworkFaultError` (timeouts included), the signal's reason, or the error of `read`.
   *
   * @example
   * const status = await outbound.request({ url }, (response) => response.status);
   */
  request<T>(request: OutboundRequest, read: (response: OutboundResponse) => T | Promise<T>): Promise<T>;
  /** Aborts running requests with `NetworkFaultError` and closes all connections. */
  close(): Promise<void>;
}

/**
 * Makes an outbound. It opens no connection before the first request, and keeps idle connections for a few seconds.
 * Call {@link Outbound.close} at the end.
 */
export function createOutbound(options: OutboundOptions = {}): Outbound {
  const { allowPrivateTargets = false, connectTimeoutMs = 10_000 } = options;
  const resolve = oncePerName(options.resolve ?? resolveBySystem);
  const { connect = connectBySocket(connectTimeoutMs) } = options;

  async function dial({ protocol, hostname: host, port }: buildConnector.Options) {
    const hostname = host.replace(/^\[(.*)\]$/, '$1');
    const addresses = await within(connectTimeoutMs, checkedAddresses(hostname, resolve, allowPrivateTargets));
    return connect({ protocol, hostname, port, servername: servernameOf(hostname), addresses });
  }

  let agent: Agent | undefined;
  let closed = false;

  function open(): Agent {
    const { Agent } = undici();
    const opened = new Agent({
      // The check where sockets are made covers every request and keeps reused connections pinned.
      connect: (target, callback) => {
        dial(target).then(
          (socket) => callback(null, socket),
          (error: unknown) => callback(error as Error, null),
        );
      },
      maxHeaderSize: MAX_HEAD_BYTES,
      headersTimeout: 0, // One timer for the whole exchange instead: timeoutMs.
      bodyTimeout: 0,
      keepAliveMaxTimeout: 10_000,
    });
    if (closed) void opened.destroy(); // so that it sends nothing
    return opened;
  }

  async function request<T>(asked: OutboundRequest, read: (response: OutboundResponse) => T | Promise<T>): Promise<T> {
    const { url, method, headers, body, timeoutMs, maxBytes } = checkedRequest(asked);
    asked.signal?.throwIfAborted();
    const stop = new AbortController();
    const timer = timeoutMs === 0 ? undefined : setTimeout(() => stop.abort(timeout(timeoutMs)), timeoutMs);
    const abort = () => stop.abort(asked.signal?.reason);
    asked.signal?.addEventListener('abort', abort, { once: true });
    const fault = (error: unknown) => (stop.signal.aborted ? stop.signal.reason : asFault(error, url.host));
    try {
      agent ??= open();
      const { request: send } = undici();
      const sent = { dispatcher: agent, method, headers, body: body ?? null, signal: stop.signal };
      const response = await send(url, sent as Parameters<typeof send>[1]).catch((error: unknown) => {
        throw fault(error);
      });
      const kept = readBody(response, maxBytes, fault);
      try {
        return await read(kept);
      } finally {
        // An unread rest would block the connection. Ignore the error of cutting it.
        response.body.on('error', () => undefined).destroy();
      }
    } finally {
      clearTimeout(timer);
      asked.signal?.removeEventListener('abort', abort);
    }
  }

  return {
    allowPrivateTargets,
    request,
    async close() {
      closed = true;
      await agent?.destroy();
    },
  };
}

function asFault(error: unknown, host: string): unknown {
  const isOurs = [RefusedTargetError, ResponseTooLargeError, UnsupportedCodingError].some((K) => error instanceof K);
  if (isOurs) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'UND_ERR_INVALID_ARG') {
    return new InvalidRequestError(`the request to ${host} can't be sent: ${message}`, { cause: error });
  }
  if (code === 'UND_ERR_HEADERS_OVERFLOW') {
    return new ResponseTooLargeError(`the response's head is longer than ${MAX_HEAD_BYTES} bytes`, { cause: error });
  }
  const Fault = error instanceof NameTimeoutError ? NameTimeoutError : NetworkFaultError;
  return new Fault(`the request to ${host} failed: ${inOneLine(error)}`, { cause: error });
}

/**
 * Undici asserts on responses that its parser accepts, such as the status 000, and quotes the assertion over several
 * lines.
 */
function inOneLine(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (error instanceof undici().errors.HTTPParserError || code === 'ERR_ASSERTION') return 'the response is not HTTP';
  const [line = ''] = (message ?? '').trim().split(/\s*[\r\n]/);
  return line === '' ? String(code ?? error) : line;
}

function timeout(timeoutMs: number): NetworkFaultError {
  return new NetworkFaultError(`the exchange took longer than ${timeoutMs} ms`);
}

/** Limits the time of a lookup, which can't be interrupted. Its late answer is dropped. */
async function within<T>(timeoutMs: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new NameTimeoutError(`the name didn't resolve within ${timeoutMs} ms`)), timeoutMs);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
