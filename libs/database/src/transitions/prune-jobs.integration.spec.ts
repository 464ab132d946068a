import { describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { useJobs } from './spec-jobs.ts';

const jobs = useJobs();
const DAY_MS = 24 * 60 * 60 * 1000;

/** The id of a job that was created so many days ago. */
function idOf(daysAgo: number, n: number): string {
  const hex = (Date.now() - daysAgo * DAY_MS).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-${n.toString(16).padStart(12, '0')}`;
}

/** A succeeded job that was created and finished so many days ago. */
async function finished(createdDaysAgo: number, finishedDaysAgo: number, n = 0): Promise<string> {
  const { id, settle } = await jobs.running({ id: idOf(createdDaysAgo, n) });
  await settle({ status: 'succeeded', result: 1 });
  const finishedAt = `update jobs set finished_at = now() - $2 * interval '1 day' where id = $1`;
  await jobs.query(finishedAt, [id, finishedDaysAgo]);
  return id;
}

const there = async (ids: string[]) =>
  (await jobs.query<{ id: string }>('select id from jobs where id = any($1)', [ids])).map(({ id }) => id);

describe('pruneJobs', () => {
  it('deletes what was finished long ago and keeps the rest, however old', async () => {
    const old = await finished(31, 31);
    const fresh = [await finished(1, 1), await finished(40, 2, 1)];
    const unfinished = await jobs.dispatched({ id: idOf(50, 2) });
    expect(await jobs.database.jobs.prune(30, 10)).toBe(1);
    expect(await there([old, ...fresh, unfinished])).toEqual(expect.arrayContaining([...fresh, unfinished]));
    expect(await there([old])).toEqual([]);
  });

  it('deletes the pending dispatch messages of the old jobs with them, and no other dispatch messages', async () => {
    const old = await finished(31, 31);
    const fresh = await finished(1, 1, 7);
    await jobs.query('insert into outbox (job_id, due_at) values ($1, now()), ($2, now())', [old, fresh]);
    expect(await jobs.database.jobs.prune(30, 10)).toBe(1);
    const pending = 'select job_id from outbox where job_id = any($1)';
    expect(await jobs.query(pending, [[old, fresh]])).toEqual([{ job_id: fresh }]);
  });

  it('deletes in batches, the oldest first', async () => {
    const ids = [await finished(43, 43), await finished(42, 42), await finished(41, 41)];
    expect(await jobs.database.jobs.prune(30, 2)).toBe(2);
    expect(await there(ids)).toEqual([ids[2]]);
    expect(await jobs.database.jobs.prune(30, 2)).toBe(1);
    expect(await jobs.database.jobs.prune(30, 2)).toBe(0);
  });

  it('skips an old job that is locked, and takes the next ones', async () => {
    const ids = [await finished(43, 43, 5), await finished(42, 42, 6)];
    const reader = new pg.Client({ connectionString: jobs.url });
    await reader.connect();
    await reader.query('begin');
    await reader.query('select from jobs where id = $1 for update', [ids[0]]);
    expect(await jobs.database.jobs.prune(30, 2)).toBe(1);
    await reader.end();
    expect(await there(ids)).toEqual([ids[0]]);
    expect(await jobs.database.jobs.prune(30, 2)).toBe(1);
  });
});
