import { ask, remakeDatabase, transactions } from '../ground/ask.ts';
import type { Ground } from '../ground/ground.ts';
import { peerSystem } from './peer-system.ts';
import type { System } from './system.ts';

/** pg-boss as a measured system. */
export function pgBoss(ground: Ground): System {
  const url = ground.databaseUrl('pg_boss');
  const jobs = `from pgboss.job where name = 'jobs'`;
  const count = async (where = ''): Promise<number> =>
    (await ask<{ count: number }>(url, `select count(*)::int as count ${jobs} ${where}`))[0]?.count ?? NaN;

  return peerSystem({
    name: 'pg-boss',
    program: 'pg-boss',
    env: { DATABASE_URL: url },
    can: { store: true, run: true },
    jobsToRun: 2_000,
    reset: () => remakeDatabase(url),
    stored: () => count(),
    finished: () => count(`and state = 'completed'`),
    async finishedAt() {
      const sql = `select extract(epoch from completed_on)::float8 * 1000 as ms ${jobs} and state = 'completed'`;
      return (await ask<{ ms: number }>(url, sql)).map(({ ms }) => ms);
    },
    async verify(expected) {
      const completed = await count(`and state = 'completed'`);
      if (completed !== expected) throw new Error(`${completed} of ${expected} jobs are completed`);
    },
    transactions: () => transactions(url),
  });
}
