import {
  InvalidRequestError,
  parseRetryAfter,
  RefusedTargetError,
  ResponseTooLargeError,
  UnsupportedCodingError,
} from '@offload/outbound';
import { PermanentError, RetryAfterError } from '@offload/worker';

/** Longest `Retry-After` of a server that the job obeys, in milliseconds (1 hour). */
const MAX_RETRY_AFTER_MS = 60 * 60 * 1_000;

const permanent = [RefusedTargetError, InvalidRequestError, ResponseTooLargeError, UnsupportedCodingError];

/**
 * Makes the error of a response whose status is no success. The job is retried after 5xx and 429, not before the
 * server's `Retry-After`. Any other status is permanent. `what` names the request in the message.
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
 * Makes the error of a request without a usable response. A fault that would repeat is permanent. Network faults and
 * unknown faults are retried.
 */
export function outboundFailure(error: unknown): unknown {
  const isPermanent = permanent.some((kind) => error instanceof kind);
  return isPermanent ? new PermanentError((error as Error).message, { cause: error }) : error;
}

/** The name of the request in messages: without the query, which may contain secrets. */
export function describeRequest(method: string, url: string): string {
  const { origin, pathname } = new URL(url);
  return `${method} ${origin}${pathname}`;
}
