import type { JobDefinition, Payload, Result } from '@offload/jobs/definitions';
import type { Outbound } from '@offload/outbound';
import type { Logger } from '@offload/process';

/** What a handler is given besides its payload. */
export interface HandlerContext {
  /** The job's id (UUIDv7), the same over all its attempts. */
  jobId: string;
  /** Number of this run, from 1; it only grows, so other systems can use it as a fencing token. */
  attempt: number;
  /** The same over all attempts of the job and no other's: for systems that do once what they are asked twice. */
  idempotencyKey: string;
  /**
   * Fires when this run must stop: timeout, cancelled, shutdown, or the broker gave the job to another worker. A handler
   * that has not stopped two seconds later is abandoned: its result is ignored.
   */
  signal: AbortSignal;
  /**
   * Tells watchers how far the job is; `percent` is 0 to 100. Never throws. Call it as often as you like: at
   * most four times a second the latest is stored and told, and the last in any case.
   */
  progress(percent: number, message?: string): void;
  /** HTTP to targets that users name; refuses addresses inside unless the configuration allows them. */
  outbound: Outbound;
  /** Carries the job's id and attempt on each line. */
  log: Logger;
}

/** See {@link HandlerContext.idempotencyKey}. */
export const idempotencyKeyOf = (jobId: string): string => `offload-${jobId}`;

/**
 * Does a definition's work. Throw {@link PermanentError} to stop retrying and {@link SnoozeError} for "not now"; anything
 * else thrown is retried.
 */
export interface Handler<D extends JobDefinition> {
  (payload: Payload<D>, context: HandlerContext): Promise<Result<D>>;
  /** Most runs at once in this process: see {@link atMost}. @default as many as WORKER_CONCURRENCY lets through */
  atOnce?: number;
  /** Makes ready what one run needs: see {@link atMost}. @default nothing */
  prepare?: Prepare;
}

/**
 * Starts what one run needs, and resolves with a function that releases it after the run. When it rejects, the run
 * begins without it.
 */
export type Prepare = () => Promise<() => void>;

/**
 * A handler of which only so many runs fit into this process, because each needs something scarce: a thread, say. The
 * worker claims a job of its type only with a slot, so the job's time never runs while it waits for another. `prepare`
 * starts the scarce thing before the claim, for the same reason.
 *
 * @example
 * export const videoEncode: Handler<typeof encode> = atMost(2, async (payload, context) => { … });
 */
export function atMost<D extends JobDefinition>(atOnce: number, handler: Handler<D>, prepare?: Prepare): Handler<D> {
  return Object.assign(handler, { atOnce, ...(prepare && { prepare }) });
}

/** The job can't succeed however often it is tried: it is `failed` at once. */
export class PermanentError extends Error {
  override name = 'PermanentError';
}

/** Not now: the job is run again in `delayMs` milliseconds, at most 30 days, and no attempt is used up. */
export class SnoozeError extends Error {
  override name = 'SnoozeError';
  readonly delayMs: number;

  /** @throws RangeError when that is no time: negative, or not finite */
  constructor(delayMs: number) {
    if (!(delayMs >= 0 && Number.isFinite(delayMs))) throw new RangeError(`can't snooze for ${delayMs} ms`);
    super(`not now, but in ${delayMs} ms`);
    this.delayMs = delayMs;
  }
}

/** The attempt failed, and the next one is not to start before `retryAfterMs` milliseconds from now, at most 30 days. */
export class RetryAfterError extends Error {
  override name = 'RetryAfterError';
  readonly retryAfterMs: number;

  constructor(message: string, retryAfterMs: number, options?: ErrorOptions) {
    super(message, options);
    this.retryAfterMs = retryAfterMs;
  }
}
