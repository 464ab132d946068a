import { ask, remakeDatabase, transactions } from '../ground/ask.ts';
import type { Ground } from '../ground/ground.ts';
import { peerSystem } from './peer-system.ts';
import type { System } from './system.ts';

/** graphile-worker with its default settings, or with the batches that its documentation recommends for many quick jobs. */
export function graphileWorker(ground: Ground, how: 'default' | 'batched'): System {
  const url = ground.databaseUrl('graphile');
  const count = async (): Promise<number> =>
    (await ask<{ count: number }>(url, 'select count(*)::int as count from graphile_worker._private_jobs'))[0]?.count ??
    NaN;

  return peerSystem({
    name: `graphile-worker, ${how}`,
    program: 'graphile-worker',
    env: { DATABASE_URL: url, BATCHED: how === 'batched' ? '1' : '0' },
    can: { store: true, run: true },
    jobsToRun: how === 'batched' ? 50_000 : 15_000,
    reset: () => remakeDatabase(url),
    stored: count,
    async verify() {
      const left = await count(); // it deletes completed jobs
      if (left > 0) throw new Error(`${left} jobs are left`);
    },
    transactions: () => transactions(url),
  });
}
