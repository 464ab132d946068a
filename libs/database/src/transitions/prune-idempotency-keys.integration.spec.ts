import { expect, it } from '@jest/globals';
import pg from 'pg';
import { useJobs } from './spec-jobs.ts';

const jobs = useJobs();

/** Keys that are so many hours old. */
async function keep(...hours: number[]): Promise<void> {
  await jobs.query('truncate idempotency_keys');
  await jobs.query(
    `insert into idempotency_keys (client, key, fingerprint, job_ids, created_at)
     select 'client', hours::text, '', '{}', now() - hours * interval '1 hour' from unnest($1::float8[]) as hours`,
    [hours],
  );
}

const kept = async (): Promise<number[]> =>
  (await jobs.query<{ key: string }>('select key from idempotency_keys order by created_at desc')).map(({ key }) =>
    Number(key),
  );

it('deletes idempotency keys after 24 hours, and not before', async () => {
  await keep(1, 23.9, 24.1, 100);
  expect(await jobs.database.jobs.pruneIdempotencyKeys(10)).toBe(2);
  expect(await kept()).toEqual([1, 23.9]);
});

it('deletes idempotency keys in batches, the oldest first', async () => {
  await keep(25, 26, 27);
  expect(await jobs.database.jobs.pruneIdempotencyKeys(2)).toBe(2);
  expect(await kept()).toEqual([25]);
  expect(await jobs.database.jobs.pruneIdempotencyKeys(2)).toBe(1);
  expect(await jobs.database.jobs.pruneIdempotencyKeys(2)).toBe(0);
});

it('skips keys that another statement is deleting, and takes the next ones', async () => {
  await keep(25, 26);
  const other = new pg.Client({ connectionString: jobs.url });
  await other.connect();
  await other.query('begin');
  await other.query(`delete from idempotency_keys where key = '26'`);
  expect(await jobs.database.jobs.pruneIdempotencyKeys(1)).toBe(1);
  await other.query('commit');
  await other.end();
  expect(await kept()).toEqual([]);
});
