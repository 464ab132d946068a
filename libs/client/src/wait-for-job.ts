import { pause, startDeadline } from './abort.ts';
import type { Answer } from './answer.ts';
import { WaitTimeoutError } from './errors.ts';
import { milliseconds } from './options.ts';
import { retryAfterMs } from './retry-after.ts';
import { isFinished, type Snapshot } from './snapshot.ts';

/** The longest time that the api holds an answer, in seconds. */
export const MAX_HOLD_SECONDS = 60;
/** Milliseconds between two reads of the job, where the api sends no `Retry-After`. */
const POLL_MS = 1_000;

/** Milliseconds of a held second: a little less than 1,000, because clocks differ. */
const HELD_MS = 900;

/** A job that `waitForJob` reads. */
export interface Waited {
  readonly id: string;
  /** The job as it was seen last. */
  snapshot(): Snapshot | undefined;
  /**
   * Reads the job and asks the api to hold the answer until it is finished. The answer is 429 when it holds too many.
   */
  look(holdSeconds: number, signal: AbortSignal): Promise<Answer>;
}

/** Options of `wait`. */
export interface WaitOptions {
  /** Milliseconds after which `wait` rejects with WaitTimeoutError. @default none: waits as long as the job takes */
  timeoutMs?: number;
  /** Ends the wait, not the job. */
  signal?: AbortSignal;
}

/**
 * Resolves with the job when it is finished, in any final status. If the api does not hold its answers, the job is read
 * again after `Retry-After`.
 */
export async function waitForJob(job: Waited, { timeoutMs, signal }: WaitOptions): Promise<Snapshot> {
  if (timeoutMs !== undefined) milliseconds('timeoutMs', timeoutMs);
  const until = timeoutMs === undefined ? Infinity : performance.now() + timeoutMs;
  const deadline = startDeadline(signal, (ms) => new WaitTimeoutError(job.id, ms, job.snapshot()));
  deadline.allow(timeoutMs);
  let holds = true;
  try {
    for (;;) {
      const seen = job.snapshot();
      if (seen && isFinished(seen)) return seen;
      const askedAt = performance.now();
      const holdSeconds = holds ? secondsUntil(until - askedAt) : 0;
      const answer = await job.look(holdSeconds, deadline.signal);
      if (answer.status === 429) holds = false; // the api holds too many requests: ask for no held answer from now on
      const held = holdSeconds > 0 && performance.now() - askedAt >= holdSeconds * HELD_MS;
      const now = job.snapshot();
      if (held || (now && isFinished(now))) continue;
      await pause(retryAfterMs(answer.headers) ?? POLL_MS, deadline.signal);
    }
  } finally {
    deadline.end();
  }
}

/** Whole seconds, rounded down, so that the answer arrives before the time is over. */
function secondsUntil(ms: number): number {
  return Math.min(MAX_HOLD_SECONDS, Math.max(1, Math.floor(ms / 1_000)));
}
