import type { Database } from '@offload/database';
import type { Logger } from '@offload/runtime';
import { startLoop, type Loop } from './loop.ts';

/** Jobs deleted by one statement: few, so that it is short. */
const BATCH = 500;
const EVERY_MS = 60_000;

/** Deletes finished jobs `days` days after their end. */
export function startRetention(parts: { database: Pick<Database, 'pruneJobs'>; days: number; log: Logger }): Loop {
  const { database, days, log } = parts;

  async function round(): Promise<number> {
    const pruned = await database.pruneJobs(days, BATCH);
    if (pruned > 0) log.info({ pruned, days }, 'old jobs deleted');
    return pruned === BATCH ? 0 : EVERY_MS;
  }

  return startLoop({ name: 'retention', round, retryMs: EVERY_MS, log });
}
