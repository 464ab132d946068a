import { z } from 'zod';

/** A webhook is given up when it has been pending for so long, in milliseconds. */
export const DEADLINE_MS = 24 * 60 * 60 * 1_000;
/** Each delay is shortened by up to this part of it: what failed together need not come back together. */
const SPREAD = 0.1;

/**
 * `WEBHOOK_RETRY_SECONDS`: how long to wait after the first attempt that failed, after the second and so on; after the
 * last there is one more attempt and no other.
 */
export const retrySchedule = z
  .string()
  .default('5,30,120,600,1800,3600,7200,14400,28800,28800')
  .transform((text) => text.split(',').map((each) => Number(each.trim() || Number.NaN)))
  .pipe(z.array(z.number('must be seconds, separated by commas').min(0).max(86_400)));

/**
 * When to try again after a failed attempt, within the time in which a webhook is delivered at all.
 *
 * @param tries how many attempts there were
 * @param pendingMs for how long it has been pending, in milliseconds
 * @param retryAfterMs what the receiver asked for, in milliseconds: not before that, unless the time is over then
 * @returns milliseconds from now, or null when it is to be given up
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
