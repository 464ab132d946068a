// Sends HTTP requests to targets that users name: guarded against SSRF, with limits.
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
