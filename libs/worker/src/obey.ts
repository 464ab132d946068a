import type { JobStore } from '@offload/database';
import type { Control } from '@offload/job-messages';
import type { Logger } from '@offload/process';
import type { HeldJobs } from './held-jobs.ts';

export interface ObeyParts {
  database: { jobs: Pick<JobStore, 'hold'> };
  heldJobs: HeldJobs;
  /** This worker's name. */
  holder: string;
  /** Takes no new jobs, finishes those that are here, and ends. */
  drain(): void;
  log: Logger;
}

/** Obeys a command of the api. Never rejects: the api repeats liveness checks. */
export async function obey(control: Control, parts: ObeyParts): Promise<void> {
  if (control.command === 'cancel') return parts.heldJobs.cancel(control.jobId);
  if (control.command === 'drain') return control.instance === parts.holder ? parts.drain() : undefined;
  await answerLivenessCheck(parts);
}

/** Says in the database which jobs are here, and hears which of them are to be cancelled, should we have missed that. */
export async function answerLivenessCheck({
  database,
  heldJobs,
  log,
}: Pick<ObeyParts, 'database' | 'heldJobs' | 'log'>): Promise<void> {
  const held = heldJobs.all();
  if (held.length === 0) return;
  try {
    for (const jobId of await database.jobs.hold(held)) heldJobs.cancel(jobId);
  } catch (error) {
    log.debug({ err: error }, 'liveness check not answered');
  }
}
