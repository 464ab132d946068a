// Guarded HTTP to targets that users name: the SSRF guard, pinned sockets and limits.
export type { OutboundResponse } from './body.ts';
export type { Connect, Resolve, Target } from './dial.ts';
export {
  InvalidRequestError,
  NameTimeoutError,
  NetworkFaultError,
  RefusedTargetError,
  ResponseTooLargeError,
  UnsupportedCodingError,
} from './errors.ts';
export { createOutbound, type Outbound, type OutboundOptions } from './outbound.ts';
export type { OutboundRequest } from './request.ts';
export { parseRetryAfter } from './retry-after.ts';
