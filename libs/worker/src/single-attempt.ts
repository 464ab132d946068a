// The door @offload/worker/single-attempt: one attempt without database and broker, for tests of handlers.
import type { Outcome } from '@offload/database';
import type { Job, JobProgress } from '@offload/jobs';
import type { JobDefinition } from '@offload/jobs/definitions';
import { attempt } from './attempt.ts';
import { idempotencyKeyOf, type Handler, type HandlerContext } from './handler.ts';
import { createHeldJobs } from './held-jobs.ts';
import { progressOf } from './progress.ts';

export type { Outcome };

/** The parts of one attempt. */
export interface SingleAttempt extends Pick<HandlerContext, 'log' | 'outbound'> {
  definition: JobDefinition;
  handler: Handler<JobDefinition>;
  /** The claimed job: its stored payload, and the number of this attempt. */
  job: Job;
  /** Cancels the job when it fires. */
  cancel?: AbortSignal | undefined;
  /** Makes the worker give the job back when it fires, as a shutdown does. */
  stop?: AbortSignal | undefined;
  /** Called for each call of `progress`, with the value that a worker would store. */
  onProgress(progress: JobProgress): void;
}

/** Runs a handler as a worker does, from the stored payload to the outcome. Never rejects. */
export async function singleAttempt(parts: SingleAttempt): Promise<Outcome> {
  const { definition, handler, job, log, outbound, onProgress } = parts;
  const { cancel, stop } = parts;
  const heldJobs = createHeldJobs(stop ?? new AbortController().signal);
  const holding = heldJobs.take(job.id, new AbortController().signal);
  const cancelJob = (): void => heldJobs.cancel(job.id);
  if (cancel?.aborted) cancelJob();
  cancel?.addEventListener('abort', cancelJob);
  const context: HandlerContext = {
    jobId: job.id,
    attempt: job.attempt,
    idempotencyKey: idempotencyKeyOf(job.id),
    progress: (percent, message) => onProgress(progressOf(percent, message)),
    outbound,
    log,
    get signal() {
      return holding.run.signal;
    },
  };
  const { timeoutMs, backoff } = definition.policy;
  try {
    return await attempt({
      job,
      typeVersion: definition.version,
      definition,
      handler,
      timeoutMs,
      backoff,
      holding,
      context,
    });
  } finally {
    cancel?.removeEventListener('abort', cancelJob);
    holding.release();
  }
}
