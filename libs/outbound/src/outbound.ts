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

export interface OutboundOptions {
  /** Lets loopback and private ranges through; link-local and metadata addresses never. @default false */
  allowPrivateTargets?: boolean;
  /** Limit for resolving the name, and again for connecting, in milliseconds. @default 10_000 */
  connectTimeoutMs?: number;
  /** Asked for a name only while no lookup of it is under way. @default the system's resolver */
  resolve?: Resolve;
  /** @default a TCP socket, with TLS on it for https */
  connect?: Connect;
}

/** Longest head of a response, in bytes: what Node.js takes too. */
const MAX_HEAD_BYTES = 16_384;

/** Guarded HTTP to targets that users name. */
export interface Outbound {
  readonly allowPrivateTargets: boolean;
  /**
   * Sends one request and resolves with what `read` returns; the response can be read only until then, and what is
   * left of it is dropped. Redirects are not followed, proxies from the environment are not used.
   *
   * Rejects with `RefusedTargetError`, `InvalidRequestError`, `ResponseTooLargeError`, `UnsupportedCodingError`,
   * `NetworkFaultError` (timeouts included), the signal's reason, or what `read` threw.
   */
  request<T>(request: OutboundRequest, read: (response: OutboundResponse) => T | Promise<T>): Promise<T>;
  /** Breaks off what is under way (`NetworkFaultError`) and closes every connection. */
  close(): Promise<void>;
}

/** Opens no connection until asked to. Keeps idle connections for a few seconds; {@link Outbound.close} ends them. */
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
      // Checking where sockets are made covers each request, first or later, and leaves kept connections pinned.
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
    if (closed) void opened.destroy(); // and so sends nothing
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
        // An unread rest would hold the connection; being cut short is no news to anybody.
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

/** Undici asserts what its parser lets through, as the status 000, and quotes the assertion over several lines. */
function inOneLine(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (error instanceof undici().errors.HTTPParserError || code === 'ERR_ASSERTION')
    return 'what came back is no HTTP response';
  const [line = ''] = (message ?? '').trim().split(/\s*[\r\n]/);
  return line === '' ? String(code ?? error) : line;
}

function timeout(timeoutMs: number): NetworkFaultError {
  return new NetworkFaultError(`the exchange took longer than ${timeoutMs} ms`);
}

/** The system's resolver can't be interrupted; its late answer is dropped. */
async function within<T>(timeoutMs: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new NameTimeoutError(`the name didn't resolve within ${timeoutMs} ms`)), timeoutMs);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
