import type { Settings } from './options.ts';
import { retryAfterMs } from './retry-after.ts';

/**
 * When the client may send a request again:
 * - `freely`: the request is safe or idempotent (RFC 9110 section 9.2), by its method or by an Idempotency-Key
 * - `unacted`: only after a status that means that the server did nothing
 */
export type Repeat = 'freely' | 'unacted';

/** Request Timeout, Too Many Requests: the server did nothing. */
const unacted: ReadonlySet<number> = new Set([408, 429]);
/** Bad Gateway, Service Unavailable, Gateway Timeout: the server may have acted. */
const unsure: ReadonlySet<number> = new Set([502, 503, 504]);

/** Whether the client may send the request again after an answer with this status. */
export function mayRepeat(repeat: Repeat, status: number): boolean {
  return unacted.has(status) || (repeat === 'freely' && unsure.has(status));
}

/** A random pause up to a bound that doubles with each attempt: exponential back-off with full jitter. */
export function backoffMs({ backoffBaseMs, backoffMaxMs }: Settings, attempt: number): number {
  return Math.random() * Math.min(backoffMaxMs, backoffBaseMs * 2 ** (attempt - 1));
}

/**
 * The pause before the next attempt: `Retry-After` plus a random time, or the back-off without that header. The random
 * time spreads clients that got the same `Retry-After`.
 *
 * @returns milliseconds, or undefined when `Retry-After` exceeds `maxRetryAfterMs`
 */
export function pauseAfter(settings: Settings, attempt: number, headers: Headers): number | undefined {
  const told = retryAfterMs(headers);
  if (told === undefined) return backoffMs(settings, attempt);
  return told <= settings.maxRetryAfterMs ? told + backoffMs(settings, 1) : undefined;
}
