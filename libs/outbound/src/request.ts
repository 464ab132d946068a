import { InvalidRequestError } from './errors.ts';

/** One request to a target that a user named. */
export interface OutboundRequest {
  /** Absolute, `http:` or `https:`, without credentials. */
  url: string;
  /** Sent as given: methods are case-sensitive. @default 'GET' */
  method?: string;
  /** `accept-encoding: identity` is added unless given; `host` and what frames the message can't be set. @default {} */
  headers?: Readonly<Record<string, string>>;
  /** Text is sent as UTF-8. @default no body */
  body?: string | Uint8Array;
  /** Breaks the exchange off at once; the request then rejects with its reason. */
  signal?: AbortSignal;
  /** Limit for the whole exchange, reading included, in milliseconds; 0 leaves it to `signal`. @default 30_000 */
  timeoutMs?: number;
  /** Limit for the response's body after decompression, in bytes. @default 1_048_576 (1 MiB) */
  maxBytes?: number;
}

/** A longer time would be none: Node.js makes 1 ms of it. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** A request that can be sent, every default filled in. */
export type CheckedRequest = Required<Pick<OutboundRequest, 'method' | 'headers' | 'timeoutMs' | 'maxBytes'>> &
  Pick<OutboundRequest, 'body'> & { url: URL };

/** Fields about the connection or the message's framing (RFC 9110 section 7.6.1), which are the client's to set. */
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

/** @throws InvalidRequestError naming the member that can't be sent */
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
  const names = Object.keys(headers).map((name) => name.toLowerCase());
  for (const [index, name] of names.entries()) {
    if (reserved.has(name)) {
      throw new InvalidRequestError(
        `the header ${name} can't be set: it follows from the URL, the body or the connection`,
      );
    }
    if (names.indexOf(name) !== index) {
      throw new InvalidRequestError(`the header ${name} is given twice`);
    }
  }
  const sent = names.includes('accept-encoding') ? headers : { ...headers, 'accept-encoding': 'identity' };
  return { url, method, headers: sent, body, timeoutMs, maxBytes };
}
