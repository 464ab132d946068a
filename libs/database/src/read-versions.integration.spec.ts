import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { freshDatabaseUrl } from '@offload/spec-kit';
import { migrate } from './migrate.ts';
import { openDatabase, type Database } from './open-database.ts';

const policy = { priority: 0, maxAttempts: 5, timeoutMs: 1_000, backoff: { baseMs: 1, factor: 1, maxMs: 1 } };
const work = { type: 'spec.job', queue: 'default', tags: [], payload: {}, ...policy, delayMs: 0, runAt: null };

let database: Database;
beforeAll(async () => {
  const url = freshDatabaseUrl();
  await migrate(url);
  database = openDatabase({ url });
});
afterAll(() => database.close());

it('reads the versions of the existing jobs among those asked for, and of no others', async () => {
  const [one, other, unasked] = [randomUUID(), randomUUID(), randomUUID()];
  for (const id of [one, other, unasked]) await database.jobs.create({ ...work, id });
  await database.jobs.cancel(other);
  const versions = await database.jobs.versions([one, other.toUpperCase(), randomUUID()]);
  expect(versions).toEqual(
    new Map([
      [one, 1],
      [other, 2],
    ]),
  );
});

it('answers an empty list of ids with no versions', async () => {
  expect(await database.jobs.versions([])).toEqual(new Map());
});
