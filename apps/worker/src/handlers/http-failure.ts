import {
  InvalidRequestError,
  parseRetryAfter,
  RefusedTargetError,
  ResponseTooLargeError,
  UnsupportedCodingError,
} from '@offload/outbound';
import { PermanentError, RetryAfterError } from '@offload/worker';

/** No server may put a job off for longer than this, in milliseconds (1 hour). */
const MAX_RETRY_AFTER_MS = 60 * 60 * 1_000;

const permanent = [RefusedTargetError, InvalidRequestError, ResponseTooLargeError, UnsupportedCodingError];

/**
 * What a response with a status that is no success means for the job: 5xx and 429 are retried, not before `Retry-After`
 * where the server sends one; any other is permanent. `what` names the request, for the message.
 */
export function statusFailure(what: string, status: number, headers: Record<string, string>): Error {
  const message = `${what} answered ${status}`;
  if (status >= 500 || status === 429) {
    const retryAfterMs = parseRetryAfter(headers['retry-after']);
    if (retryAfterMs === undefined) return new Error(message);
    return new RetryAfterError(message, Math.min(retryAfterMs, MAX_RETRY_AFTER_MS));
  }
  if (status >= 300 && status < 400 && headers.location !== undefined) {
    const location = headers.location.slice(0, 500);
    return new PermanentError(`${message}, which points to ${location}: redirects are not followed`);
  }
  return new PermanentError(message);
}

/**
 * What a request that got no usable response means for the job: what would fail the same way again is permanent,
 * network faults (and anything unknown) are retried.
 */
export function outboundFailure(error: unknown): unknown {
  const isPermanent = permanent.some((kind) => error instanceof kind);
  return isPermanent ? new PermanentError((error as Error).message, { cause: error }) : error;
}

/** The request as messages name it: without the query, which may hold secrets. */
export function describeRequest(method: string, url: string): string {
  const { origin, pathname } = new URL(url);
  return `${method} ${origin}${pathname}`;
}
