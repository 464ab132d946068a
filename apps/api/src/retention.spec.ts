import { expect, it } from '@jest/globals';
import { createLogger } from '@offload/runtime';
import { eventually } from '@offload/testing';
import { startRetention } from './retention.ts';

it('deletes batch after batch until there is no full one, and then rests', async () => {
  const batches = [500, 500, 3];
  const asked: [days: number, limit: number][] = [];
  const database = {
    pruneJobs: async (days: number, limit: number) => {
      asked.push([days, limit]);
      return batches.shift() ?? 0;
    },
  };
  const retention = startRetention({
    database,
    days: 7,
    log: createLogger('api', { level: 'silent', instance: 'spec' }),
  });
  await eventually(() => expect(batches).toEqual([]));
  await retention.stop();
  expect(asked).toEqual([
    [7, 500],
    [7, 500],
    [7, 500],
  ]);
});
