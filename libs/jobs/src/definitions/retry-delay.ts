import type { Backoff } from './job-definition.ts';

/**
 * Exponential back-off with full jitter: a random time from 0 to `min(maxMs, baseMs * factor ** (failures - 1))`.
 * https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/
 *
 * @param failures how many attempts have failed, this one included
 * @returns milliseconds until the next attempt
 */
export function retryDelayMs({ baseMs, factor, maxMs }: Backoff, failures: number, random = Math.random): number {
  const bound = baseMs === 0 ? 0 : Math.min(maxMs, baseMs * factor ** (failures - 1)); // 0 times Infinity is no number
  return Math.round(random() * bound);
}
