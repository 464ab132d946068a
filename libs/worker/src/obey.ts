import type { JobStore } from '@offload/database';
import type { Control } from '@offload/job-messages';
import type { Logger } from '@offload/process';
import type { HeldJobs } from './held-jobs.ts';

export interface ObeyParts {
  database: { jobs: Pick<JobStore, 'hold'> };
  heldJobs: HeldJobs;
  log: Logger;
}

/** Obeys a command of the api. Never rejects: the api repeats liveness checks. */
export async function obey(control: Control, parts: ObeyParts): Promise<void> {
  if (control.command === 'cancel') return parts.heldJobs.cancel(control.jobId);
  await answerLivenessCheck(parts);
}

/**
 * Answers a liveness check: writes to the database which jobs this worker has, and reads which of them are cancelled.
 */
export async function answerLivenessCheck({ database, heldJobs, log }: ObeyParts): Promise<void> {
  const held = heldJobs.all();
  if (held.length === 0) return;
  try {
    for (const jobId of await database.jobs.hold(held)) heldJobs.cancel(jobId);
  } catch (error) {
    log.debug({ err: error }, 'liveness check not answered');
  }
}
