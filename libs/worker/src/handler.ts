import type { JobDefinition, Payload, Result } from '@offload/jobs/definitions';
import type { Outbound } from '@offload/outbound';
import type { Logger } from '@offload/process';

/** The second argument of a handler. */
export interface HandlerContext {
  /** The job's id (UUIDv7), the same for all its attempts. */
  jobId: string;
  /** Number of this attempt, from 1. It only grows, so other systems can use it as a fencing token. */
  attempt: number;
  /** The same for all attempts of this job, and of no other: for systems that carry out a repeated request once. */
  idempotencyKey: string;
  /**
   * Fires when this run must stop: timeout, cancel, shutdown, or a lost delivery. The worker abandons a handler that
   * has not stopped two seconds later, and ignores its result.
   */
  signal: AbortSignal;
  /**
   * Reports progress to watchers; `percent` is 0 to 100. Never throws. Call it as often as you like: the worker stores
   * and publishes the latest report four times a second at most, and always the last.
   */
  progress(percent: number, message?: string): void;
  /** HTTP to targets that users name. It refuses private addresses unless the configuration allows them. */
  outbound: Outbound;
  /** A logger that adds the job's id and attempt to each line. */
  log: Logger;
}

/** See {@link HandlerContext.idempotencyKey}. */
export const idempotencyKeyOf = (jobId: string): string => `offload-${jobId}`;

/**
 * Does a definition's work. Throw {@link PermanentError} to stop retrying, and {@link SnoozeError} for "not now". After
 * any other error the worker retries.
 */
export interface Handler<D extends JobDefinition> {
  (payload: Payload<D>, context: HandlerContext): Promise<Result<D>>;
  /** Most runs at once in this process: see {@link atMost}. @default limited by WORKER_CONCURRENCY only */
  atOnce?: number;
  /** Prepares one run: see {@link atMost}. @default nothing */
  prepare?: Prepare;
}

/**
 * Starts the scarce thing that one run needs. Resolves with a function that releases it after the run. If it rejects,
 * the run begins without the thing.
 */
export type Prepare = () => Promise<() => void>;

/**
 * Limits the runs of a handler in this process, because each run needs something scarce, such as a thread. The worker
 * claims a job of the type only when it has a slot, so a job's timeout never runs while the job waits. For the same
 * reason `prepare` starts the scarce thing before the claim.
 *
 * @example
 * export const videoEncode: Handler<typeof encode> = atMost(2, async (payload, context) => { … });
 */
export function atMost<D extends JobDefinition>(atOnce: number, handler: Handler<D>, prepare?: Prepare): Handler<D> {
  return Object.assign(handler, { atOnce, ...(prepare && { prepare }) });
}

/** Throw it when no retry can succeed: the job is `failed` at once. */
export class PermanentError extends Error {
  override name = 'PermanentError';
}

/** Throw it for "not now": the job runs again in `delayMs` milliseconds, at most 30 days, and no attempt is used up. */
export class SnoozeError extends Error {
  override name = 'SnoozeError';
  readonly delayMs: number;

  /** @throws RangeError if `delayMs` is negative, or not finite */
  constructor(delayMs: number) {
    if (!(delayMs >= 0 && Number.isFinite(delayMs))) throw new RangeError(`can't snooze for ${delayMs} ms`);
    super(`not now, but in ${delayMs} ms`);
    this.delayMs = delayMs;
  }
}

/**
 * Throw it to fail the attempt. The next attempt starts after `retryAfterMs` milliseconds or later, at most 30 days.
 */
export class RetryAfterError extends Error {
  override name = 'RetryAfterError';
  readonly retryAfterMs: number;

  constructor(message: string, retryAfterMs: number, options?: ErrorOptions) {
    super(message, options);
    this.retryAfterMs = retryAfterMs;
  }
}
