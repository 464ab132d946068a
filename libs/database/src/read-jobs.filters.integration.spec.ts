import { beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import type { JobFilter } from './look-for-jobs.ts';
import { listJobs, type JobPage } from './read-jobs.ts';
import { setup, job, MINUTE_MS, start, idAt } from './spec-read-jobs.ts';

const timeAt = (minute: number) => new Date(start + minute * MINUTE_MS);

/** One job a minute, from 1 to `count`; every hundredth is of the other type, queue and tag, every thousandth of all three. */
async function manyJobs(count: number) {
  const world = await setup();
  await world.sql.query(
    `insert into jobs (id, type, queue, status, priority, tags, payload, max_attempts, timeout_ms, backoff, created_at, due_at)
     select (lpad(to_hex(ms), 8, '0') || '-' || substr(rest, 1, 4) || '-7000-8000-000000000000')::uuid,
       case when n % 1000 = 0 or n % 100 = 1 then 'http.request' else 'demo.sleep' end,
       case when n % 1000 = 0 or n % 100 = 2 then 'mail' else 'default' end,
       (case when n % 2 = 0 then 'succeeded' else 'failed' end)::job_status, 0,
       case when n % 1000 = 0 or n % 100 = 3 then '{a,nightly}' else '{a}' end::text[],
       '{}', 1, 1, '{}', made, made
     from (
       select n, made, (extract(epoch from made) * 1000)::bigint >> 16 as ms,
         lpad(to_hex((extract(epoch from made) * 1000)::bigint & 65535), 4, '0') as rest
       from (select n, $1::timestamptz + n * interval '1 minute' as made from generate_series(1, $2::int) as n) as times
     ) as jobs`,
    [timeAt(0), count],
  );
  return world;
}

describe('listJobs with filters', () => {
  const count = 6_000;
  let world: Awaited<ReturnType<typeof manyJobs>>;
  beforeAll(async () => void (world = await manyJobs(count)));

  /** Newest first. */
  const minutes = (wanted: (n: number) => boolean) =>
    Array.from({ length: count }, (_, index) => count - index).filter(wanted);
  const idsOf = (wanted: (n: number) => boolean) => minutes(wanted).map(idAt);

  it.each<[string, Partial<JobFilter>, (n: number) => boolean]>([
    ['type', { type: 'http.request' }, (n) => n % 1000 === 0 || n % 100 === 1],
    ['queue', { queue: 'mail' }, (n) => n % 1000 === 0 || n % 100 === 2],
    ['tag', { tag: 'nightly' }, (n) => n % 1000 === 0 || n % 100 === 3],
    ['type, queue and tag', { type: 'http.request', queue: 'mail', tag: 'nightly' }, (n) => n % 1000 === 0],
    ['status and tag', { status: 'failed', tag: 'nightly' }, (n) => n % 100 === 3],
    ['status and type', { status: 'succeeded', type: 'http.request' }, (n) => n % 1000 === 0],
    ['time', { createdAfter: timeAt(50), createdBefore: timeAt(60) }, (n) => n > 50 && n < 60],
    [
      'time and type',
      { createdBefore: timeAt(3_000), type: 'http.request', queue: 'mail' },
      (n) => n === 2000 || n === 1000,
    ],
  ])('finds all that pass by %s, and nothing else', async (_what, filter, wanted) => {
    const pages = await world.walk({ ...filter, limit: 7 });
    expect(pages.flat()).toEqual(idsOf(wanted));
    for (const page of pages) expect(page.length).toBeLessThanOrEqual(7);
  });

  /** Enough also on a slow machine. */
  const reach = { mostRows: 2_500, leastRows: 2_500, ms: 60_000 };

  it('ends a page after mostRows with the jobs found, and continues below the last examined row', async () => {
    const filter = { queue: 'mail', tag: 'nightly', type: 'http.request' };
    const first = await world.look(reach, { ...filter, limit: 200 });
    expect(first.jobs.map(({ id }) => id)).toEqual([idAt(6_000), idAt(5_000), idAt(4_000)]);
    expect(first.next).toBe(idAt(3_501));
    const full = await world.look(reach, { ...filter, limit: 2 });
    expect([full.jobs.map(({ id }) => id), full.next]).toEqual([[idAt(6_000), idAt(5_000)], idAt(5_000)]);
  });

  it('returns empty pages with a cursor, and null only at the end', async () => {
    const pages: JobPage[] = [];
    for (let beforeId: string | null | undefined; beforeId !== null; beforeId = pages.at(-1)?.next) {
      pages.push(await world.look(reach, { tag: 'unheard of', limit: 50, beforeId }));
    }
    expect(pages).toEqual([3_501, 1_001, null].map((at) => ({ jobs: [], next: at === null ? null : idAt(at) })));
  });

  it('examines only rows of the wanted status', async () => {
    const page = await world.look(reach, { status: 'failed', tag: 'unheard of', limit: 50 });
    expect(page).toEqual({ jobs: [], next: idAt(1_001) });
  });

  it('ends a page when its time is over, but always makes progress', async () => {
    const hurried = { mostRows: 2_500, leastRows: 100, ms: 0 };
    const page = await world.look(hurried, { tag: 'nightly', limit: 50 });
    expect(page.jobs.map(({ id }) => id)).toEqual([idAt(6_000), idAt(5_903)]);
    expect(page.next).toBe(idAt(5_901));
    let pages = 0;
    const found: string[] = [];
    for (let beforeId: string | null | undefined; beforeId !== null; pages += 1) {
      const { jobs, next } = await world.look(hurried, { tag: 'nightly', limit: 50, beforeId });
      found.push(...jobs.map(({ id }) => id));
      beforeId = next;
    }
    expect(pages).toBe(61);
    expect(found).toEqual(idsOf((n) => n % 1000 === 0 || n % 100 === 3));
  });

  it('finds an old range of time at once, and ends after it', async () => {
    const window = { createdAfter: timeAt(10), createdBefore: timeAt(20) };
    const { jobs, next } = await world.database.jobs.list({ ...window, limit: 200 });
    expect([jobs.map(({ id }) => id), next]).toEqual([idsOf((n) => n > 10 && n < 20), null]);
  });

  it('continues from the cursor inside a range of time', async () => {
    const window = { createdAfter: timeAt(10), createdBefore: timeAt(20) };
    const { jobs } = await world.database.jobs.list({ ...window, limit: 200, beforeId: idAt(14) });
    expect(jobs.map(({ id }) => id)).toEqual(idsOf((n) => n > 10 && n < 14));
  });

  it('uses the time of the row if the clock of its id differed', async () => {
    const { database, sql, list } = await setup();
    const window = { createdAfter: timeAt(100), createdBefore: timeAt(110), limit: 10 };
    // An hour, and the time from the api to the database.
    const [ahead, behind, out] = [idAt(170), idAt(40), idAt(105)];
    const created = [
      [ahead, 109],
      [behind, 101],
      [out, 111],
    ] as const;
    for (const [id, minute] of created) {
      await database.jobs.create({ ...job, id });
      await sql.query('update jobs set created_at = $2 where id = $1', [id, timeAt(minute)]);
    }
    expect(await list(window)).toEqual([ahead, behind]);
  });

  it('leaves out jobs that are deleted or change their status between finding and reading', async () => {
    const { database, sql } = await setup();
    const ids = [1, 2, 3].map(idAt);
    for (const id of ids) await database.jobs.create({ ...job, id });
    const change = async () => {
      await sql.query('delete from jobs where id = $1', [ids[1]]);
      await sql.query(`update jobs set status = 'running' where id = $1`, [ids[2]]);
    };
    const client = await sql.connect();
    const ignore = { on: () => ignore, off: () => ignore, release: () => client.release() };
    const query = (what: string) => (what === 'commit' ? change() : Promise.resolve()).then(() => client.query(what));
    const connect = async () => ({ ...ignore, query });
    const page = await listJobs({ connect, query: sql.query.bind(sql) } as unknown as pg.Pool, {
      limit: 10,
      status: 'queued',
    });
    expect([page.jobs.map(({ id }) => id), page.next]).toEqual([[ids[0]], null]);
  });
});
