import { pause, startDeadline } from './abort.ts';
import type { Answer } from './answer.ts';
import { WaitTimeoutError } from './errors.ts';
import { milliseconds } from './options.ts';
import { retryAfterMs } from './retry-after.ts';
import { isFinished, type Snapshot } from './snapshot.ts';

/** The longest that the api holds an answer, in seconds. */
export const MAX_HOLD_SECONDS = 60;
/** Pause before the job is looked at again, where the api says nothing else. */
const POLL_MS = 1_000;

/** What a held answer takes a second, in milliseconds; a little less, since clocks differ. */
const HELD_MS = 900;

/** A job that can be looked at. */
export interface Waited {
  readonly id: string;
  /** As it was seen last. */
  snapshot(): Snapshot | undefined;
  /** Looks at it anew; the answer is asked to be held until it is finished. 429 when too many are held. */
  look(holdSeconds: number, signal: AbortSignal): Promise<Answer>;
}

export interface WaitOptions {
  /** Limit, in milliseconds; WaitTimeoutError then. @default none: as long as the job takes */
  timeoutMs?: number;
  /** Ends the waiting, not the job. */
  signal?: AbortSignal;
}

/**
 * Resolves with the finished job, however it ended. Where the api doesn't hold its answers, or no longer, it is asked
 * again as soon as its Retry-After says.
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
      if (answer.status === 429) holds = false; // it holds too many requests already: ours are short from now on
      const held = holdSeconds > 0 && performance.now() - askedAt >= holdSeconds * HELD_MS;
      const now = job.snapshot();
      if (held || (now && isFinished(now))) continue;
      await pause(retryAfterMs(answer.headers) ?? POLL_MS, deadline.signal);
    }
  } finally {
    deadline.end();
  }
}

/** Whole seconds, rounded down so that the answer is here before the time is over. */
function secondsUntil(ms: number): number {
  return Math.min(MAX_HOLD_SECONDS, Math.max(1, Math.floor(ms / 1_000)));
}
