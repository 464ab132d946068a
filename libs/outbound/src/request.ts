import { createRequire } from 'node:module';
import { InvalidRequestError } from './errors.ts';

/** One request to a target that a user named. */
export interface OutboundRequest {
  /** Absolute `http:` or `https:` URL without credentials. */
  url: string;
  /** Case-sensitive, and sent as given. @default 'GET' */
  method?: string;
  /**
   * `user-agent: Offload/<version>` and `accept-encoding: identity` are added by default. `host` and the fields that
   * frame the message can't be set. @default {}
   */
  headers?: Readonly<Record<string, string>>;
  /** Text is sent as UTF-8. @default no body */
  body?: string | Uint8Array;
  /** Aborts the exchange at once. The request then rejects with the signal's reason. */
  signal?: AbortSignal;
  /** Most time for the whole exchange with reading, in milliseconds; 0 means no limit. @default 30_000 */
  timeoutMs?: number;
  /** Most bytes of the response's body after decompression. @default 1_048_576 (1 MiB) */
  maxBytes?: number;
}

/** Longest time of a timer. Node.js turns a longer one into 1 ms. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** A valid request with all defaults. */
export type CheckedRequest = Required<Pick<OutboundRequest, 'method' | 'headers' | 'timeoutMs' | 'maxBytes'>> &
  Pick<OutboundRequest, 'body'> & { url: URL };

/** Fields of the connection or of the message's framing (RFC 9110 section 7.6.1), which undici sets. */
const reserved: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

const { version } = createRequire(import.meta.url)('../package.json') as { version: string };

/** Default fields. Some servers refuse requests without a user-agent (RFC 9110 section 10.1.5). */
const defaults = { 'user-agent': `Offload/${version}`, 'accept-encoding': 'identity' };

/** Checks a request and fills in the defaults. @throws InvalidRequestError that names the invalid member */
export function checkedRequest(request: OutboundRequest): CheckedRequest {
  const { method = 'GET', headers = {}, body, timeoutMs = 30_000, maxBytes = 1_048_576 } = request;
  const url = URL.canParse(request.url) ? new URL(request.url) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
    throw new InvalidRequestError('the URL must be an absolute http or https URL');
  }
  if (url.username !== '' || url.password !== '') {
    throw new InvalidRequestError('the URL must not contain a user name or password');
  }
  if (!(timeoutMs >= 0 && timeoutMs <= MAX_TIMER_MS)) {
    throw new InvalidRequestError(`the timeout must be from 0 to ${MAX_TIMER_MS} milliseconds`);
  }
  if (method.toUpperCase() === 'CONNECT') {
    throw new InvalidRequestError('the method CONNECT asks for a tunnel, not for a response');
  }
  const names = new Set<string>();
  for (const name of Object.keys(headers).map((name) => name.toLowerCase())) {
    if (reserved.has(name)) {
      throw new InvalidRequestError(
        `the header ${name} can't be set: it follows from the URL, the body or the connection`,
      );
    }
    if (names.has(name)) {
      throw new InvalidRequestError(`the header ${name} is given twice`);
    }
    names.add(name);
  }
  const missing = Object.entries(defaults).filter(([name]) => !names.has(name));
  return { url, method, headers: { ...headers, ...Object.fromEntries(missing) }, body, timeoutMs, maxBytes };
}
