import { z } from 'zod';

/** Milliseconds that a webhook may be pending before it is given up. */
export const DEADLINE_MS = 24 * 60 * 60 * 1_000;
/** Each delay is shortened by a random part up to this. It spreads webhooks that failed together. */
const SPREAD = 0.1;

/**
 * Parses `WEBHOOK_RETRY_SECONDS`: the seconds to wait after the first failed attempt, the second and so on. After the
 * last delay there is one more attempt.
 */
export const retrySchedule = z
  .string()
  .default('5,30,120,600,1800,3600,7200,14400,28800,28800')
  .transform((text) => text.split(',').map((each) => Number(each.trim() || Number.NaN)))
  .pipe(z.array(z.number('must be seconds, separated by commas').min(0).max(86_400)));

/**
 * Computes the delay after a failed attempt.
 *
 * @param tries number of attempts so far
 * @param pendingMs milliseconds that the webhook has been pending
 * @param retryAfterMs the receiver's `Retry-After` in milliseconds: the delay is not shorter
 * @returns milliseconds from now, or null when the webhook is given up
 */
export function retryDelay(
  { tries, pendingMs, retryAfterMs = 0 }: { tries: number; pendingMs: number; retryAfterMs?: number | undefined },
  scheduleSeconds: readonly number[],
): number | null {
  const seconds = scheduleSeconds[tries - 1];
  const leftMs = DEADLINE_MS - pendingMs;
  if (seconds === undefined || leftMs <= 0) return null;
  const spread = seconds * 1_000 * (1 - SPREAD * Math.random());
  return Math.round(Math.min(Math.max(spread, retryAfterMs), leftMs));
}
