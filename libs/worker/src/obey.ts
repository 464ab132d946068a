import type { JobStore } from '@offload/database';
import type { Control } from '@offload/job-messages';
import type { Logger } from '@offload/process';
import type { HeldJobs } from './held-jobs.ts';

export interface ObeyParts {
  database: { jobs: Pick<JobStore, 'hold'> };
  heldJobs: HeldJobs;
  log: Logger;
}

/** Does what the api tells all workers. Never rejects: what fails is asked again. */
export async function obey(control: Control, parts: ObeyParts): Promise<void> {
  if (control.command === 'cancel') return parts.heldJobs.cancel(control.jobId);
  await answerLivenessCheck(parts);
}

/** Says in the database which jobs are here, and hears which of them are to be cancelled, should we have missed that. */
export async function answerLivenessCheck({ database, heldJobs, log }: ObeyParts): Promise<void> {
  const held = heldJobs.all();
  if (held.length === 0) return;
  try {
    for (const jobId of await database.jobs.hold(held)) heldJobs.cancel(jobId);
  } catch (error) {
    log.debug({ err: error }, 'liveness check not answered');
  }
}
