// Guarded HTTP to targets that users name: the SSRF guard, pinned sockets and limits.
export { reachOf, type Reach } from './addresses.ts';
export type { Connect, Resolve, Target } from './dial.ts';
export {
  InvalidRequestError,
  NameTimeoutError,
  NetworkFaultError,
  RefusedTargetError,
  ResponseTooLargeError,
  UnsupportedCodingError,
} from './errors.ts';
export { createOutbound, type Outbound, type OutboundOptions, type OutboundResponse } from './outbound.ts';
export type { OutboundRequest } from './request.ts';
export { parseRetryAfter } from './retry-after.ts';
