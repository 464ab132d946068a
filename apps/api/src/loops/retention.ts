import type { JobStore } from '@offload/database';
import { startLoop, type Logger, type Loop } from '@offload/process';

/** Most rows that one statement deletes: few, so that statements are short. */
const BATCH = 500;
const EVERY_MS = 60_000;

export interface RetentionParts {
  database: { jobs: Pick<JobStore, 'prune' | 'pruneIdempotencyKeys'> };
  /** 0 keeps jobs for ever. */
  days: number;
  log: Logger;
}

/** Deletes finished jobs `days` days after their end, and idempotency keys after a day. */
export function startRetention({ database, days, log }: RetentionParts): Loop {
  async function round(): Promise<number> {
    const jobs = days > 0 ? await database.jobs.prune(days, BATCH) : 0;
    if (jobs > 0) log.info({ pruned: jobs, days }, 'old jobs deleted');
    const keys = await database.jobs.pruneIdempotencyKeys(BATCH);
    return jobs === BATCH || keys === BATCH ? 0 : EVERY_MS;
  }

  return startLoop({ name: 'retention', round, retryMs: EVERY_MS, log });
}
