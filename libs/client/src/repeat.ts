import type { Settings } from './options.ts';
import { retryAfterMs } from './retry-after.ts';

/**
 * When a request may be sent again:
 * - `freely`: it is safe or idempotent (RFC 9110 section 9.2), by its method or by an Idempotency-Key
 * - `unacted`: only after an answer that says that nothing was done
 */
export type Repeat = 'freely' | 'unacted';

/** Request Timeout, Too Many Requests: nothing was done. */
const unacted: ReadonlySet<number> = new Set([408, 429]);
/** Bad Gateway, Service Unavailable, Gateway Timeout: who knows. */
const unsure: ReadonlySet<number> = new Set([502, 503, 504]);

/** Whether an answer with this status says "not now". */
export function mayRepeat(repeat: Repeat, status: number): boolean {
  return unacted.has(status) || (repeat === 'freely' && unsure.has(status));
}

/** A random time up to a bound that doubles with each attempt: exponential back-off with full jitter. */
export function backoffMs({ backoffBaseMs, backoffMaxMs }: Settings, attempt: number): number {
  return Math.random() * Math.min(backoffMaxMs, backoffBaseMs * 2 ** (attempt - 1));
}

/**
 * How long to wait after the attempt that was answered so: as told, and a little more, so that not everybody who was
 * told the same comes at the same moment; else the back-off.
 *
 * @returns milliseconds, or undefined when what is told is longer than anybody should wait without knowing
 */
export function pauseAfter(settings: Settings, attempt: number, headers: Headers): number | undefined {
  const told = retryAfterMs(headers);
  if (told === undefined) return backoffMs(settings, attempt);
  return told <= settings.maxRetryAfterMs ? told + backoffMs(settings, 1) : undefined;
}
