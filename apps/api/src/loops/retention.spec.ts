import { expect, it } from '@jest/globals';
import { createLogger } from '@offload/process';
import { eventually } from '@offload/spec-kit';
import { startRetention } from './retention.ts';

const log = createLogger('api', { level: 'silent', instance: 'spec' });

/** Each call with what it was given; the numbers are what it answers, then 0. */
function pruning(jobs: number[], keys: number[]) {
  const asked: unknown[][] = [];
  const store = {
    prune: async (days: number, limit: number) => (asked.push(['jobs', days, limit]), jobs.shift() ?? 0),
    pruneIdempotencyKeys: async (limit: number) => (asked.push(['keys', limit]), keys.shift() ?? 0),
  };
  return { database: { jobs: store }, asked };
}

it('deletes batch after batch, of jobs and of keys, until there is no full one, and then rests', async () => {
  const { database, asked } = pruning([500, 3], [500, 500, 7]);
  const retention = startRetention({ database, days: 7, log });
  await eventually(() => expect(asked).toHaveLength(6));
  await retention.stop();
  const round = [
    ['jobs', 7, 500],
    ['keys', 500],
  ];
  expect(asked).toEqual([...round, ...round, ...round]);
});

it('deletes keys also where jobs are kept for ever', async () => {
  const { database, asked } = pruning([], []);
  const retention = startRetention({ database, days: 0, log });
  await eventually(() => expect(asked).toEqual([['keys', 500]]));
  await retention.stop();
});
