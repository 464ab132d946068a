import type { Backoff } from '@offload/contracts';

/**
 * Exponential back-off with full jitter: anything from 0 to `min(maxMs, baseMs * factor ** (attempt - 1))`.
 * https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/
 *
 * @param attempt the attempt that failed, from 1
 * @returns milliseconds until the next one
 */
export function retryDelayMs({ baseMs, factor, maxMs }: Backoff, attempt: number, random = Math.random): number {
  return Math.round(random() * Math.min(maxMs, baseMs * factor ** (attempt - 1)));
}
