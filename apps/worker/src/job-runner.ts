import type { Ring } from '@offload/contracts';
import type { DeliveredMessage, Verdict } from '@offload/messaging';
import { runJob, type RunJobParts } from './run-job.ts';

/** Runs jobs and knows which are under way, so that the worker can stop in good order. */
export interface JobRunner {
  run(delivery: DeliveredMessage<Ring>): Promise<Verdict>;
  /** Lets running jobs finish for `graceMs` milliseconds, then aborts the rest and gives them back. */
  drain(graceMs: number): Promise<void>;
}

export function createJobRunner(parts: Omit<RunJobParts, 'letGo'>): JobRunner {
  const underWay = new Set<Promise<Verdict>>();
  const letGo = new AbortController();

  return {
    run(delivery) {
      const job = runJob(delivery, { ...parts, letGo: letGo.signal });
      underWay.add(job);
      return job.finally(() => underWay.delete(job));
    },
    async drain(graceMs) {
      const timer = setTimeout(() => letGo.abort(new Error('the worker is stopping')), graceMs);
      await Promise.allSettled(underWay);
      clearTimeout(timer);
    },
  };
}
