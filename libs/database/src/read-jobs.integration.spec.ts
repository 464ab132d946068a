import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { freshDatabaseUrl } from '@offload/testing';
import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { PrismaClient } from './generated/prisma/client.ts';
import { idsFrom } from './ids-from.ts';
import type { JobFilter, Reach } from './look-for-jobs.ts';
import { migrate } from './migrate.ts';
import { openDatabase } from './open-database.ts';
import { listJobs, readFirstJobs, type JobPage } from './read-jobs.ts';

const opened: { close(): Promise<void> }[] = [];
afterAll(async () => void (await Promise.all(opened.map((each) => each.close()))));

async function setup() {
  const url = freshDatabaseUrl();
  await migrate(url);
  const database = openDatabase({ url });
  const sql = new pg.Pool({ connectionString: url });
  opened.push(database, { close: () => sql.end() });
  const prisma = new PrismaClient({ adapter: new PrismaPg(sql) });
  return {
    database,
    sql,
    prisma,
    look: (within: Reach, filter: JobFilter): Promise<JobPage> => listJobs(sql, prisma, filter, within),
    list: async (filter: JobFilter) => (await database.jobs.list(filter)).jobs.map(({ id }) => id),
    /** Every page until there is no next one. */
    async walk(filter: JobFilter): Promise<string[][]> {
      const pages: string[][] = [];
      for (let beforeId = filter.beforeId; ;) {
        const { jobs, next } = await database.jobs.list({ ...filter, beforeId });
        pages.push(jobs.map(({ id }) => id));
        if (next === null) return pages;
        beforeId = next;
      }
    },
  };
}

const policy = { maxAttempts: 3, timeoutMs: 1_000, backoff: { baseMs: 10, factor: 2, maxMs: 100 }, runAt: null };
const job = { type: 'demo.sleep', queue: 'default', priority: 0, tags: [], payload: {}, delayMs: 0, ...policy };

/** Ten jobs, in the order of creation, as with UUIDv7; the even ones are scheduled. */
async function tenJobs() {
  const world = await setup();
  const ids = Array.from({ length: 10 }, (_, index) => `019ac000-0000-7000-8000-00000000000${index}`);
  await Promise.all(
    ids.map((id, index) => world.database.jobs.create({ ...job, id, delayMs: index % 2 ? 0 : 60_000 })),
  );
  return { ...world, ids, newestFirst: [...ids].reverse() };
}

describe('listJobs', () => {
  let world: Awaited<ReturnType<typeof tenJobs>>;
  beforeAll(async () => void (world = await tenJobs()));

  it('lists the newest first, as many as asked for', async () => {
    const { list, newestFirst } = world;
    expect(await list({ limit: 3 })).toEqual(newestFirst.slice(0, 3));
    expect(await list({ limit: 100 })).toEqual(newestFirst);
  });

  it('pages through all without a gap or a repetition', async () => {
    const { walk, newestFirst } = world;
    const pages = await walk({ limit: 4 });
    expect(pages.map(({ length }) => length)).toEqual([4, 4, 2]);
    expect(pages.flat()).toEqual(newestFirst);
  });

  it('takes a cursor in capital letters', async () => {
    const { list, newestFirst } = world;
    expect(await list({ limit: 2, beforeId: newestFirst[4]?.toUpperCase() })).toEqual(newestFirst.slice(5, 7));
  });

  it('lists one status, with the cursor too', async () => {
    const { list, ids, newestFirst } = world;
    const scheduled = newestFirst.filter((id) => ids.indexOf(id) % 2 === 0);
    expect(await list({ status: 'scheduled', limit: 100 })).toEqual(scheduled);
    expect(await list({ status: 'scheduled', limit: 2, beforeId: scheduled[1] })).toEqual(scheduled.slice(2, 4));
    expect(await list({ status: 'failed', limit: 100 })).toEqual([]);
  });

  it('says where to go on, and that there is nothing more where the page is full to the last job', async () => {
    const { database, newestFirst } = world;
    expect((await database.jobs.list({ limit: 9 })).next).toBe(newestFirst[8]);
    expect((await database.jobs.list({ limit: 10 })).next).toBeNull();
    expect((await database.jobs.list({ limit: 11 })).next).toBeNull();
    expect((await database.jobs.list({ limit: 5, status: 'queued' })).next).toBeNull();
    expect((await database.jobs.list({ limit: 4, status: 'queued' })).next).toBe(newestFirst[6]);
  });

  it('lists jobs as getJob gives them', async () => {
    const { database, newestFirst } = world;
    const {
      jobs: [newest],
    } = await database.jobs.list({ limit: 1 });
    expect(newest).toEqual(await database.jobs.get(newestFirst[0] as string));
  });

  it('lists nothing where there is nothing', async () => {
    const { database } = await setup();
    expect(await database.jobs.list({ limit: 1 })).toEqual({ jobs: [], next: null });
  });

  it('ends a page of large jobs early, and the next one goes on from there', async () => {
    const { database, walk } = await setup();
    const large = 'x'.repeat(768 * 1024);
    const ids = ['0', '1', '2'].map((digit) => `019ac000-0000-7000-8000-00000000000${digit}`) as [
      string,
      string,
      string,
    ];
    for (const [index, id] of ids.entries()) {
      await database.jobs.create({ ...job, id, payload: Array(index === 1 ? 3 : 1).fill(large) });
    }
    const page = await database.jobs.list({ limit: 100 });
    expect([page.jobs.map(({ id }) => id), page.next]).toEqual([[ids[2], ids[1]], ids[1]]);
    expect(await walk({ limit: 100 })).toEqual([[ids[2], ids[1]], [ids[0]]]);
  });
});

const MINUTE_MS = 60_000;
const start = Date.parse('2026-11-01T00:00:00Z');

/** The id of the job that was made so many minutes after the start. */
const idAt = (minute: number) => idsFrom(start + minute * MINUTE_MS);
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

  /** However slow the machine is. */
  const reach = { mostRows: 2_500, leastRows: 2_500, ms: 60_000 };

  it('ends a page after so many rows, with what it has found, and goes on below the last it has looked at', async () => {
    const filter = { queue: 'mail', tag: 'nightly', type: 'http.request' };
    const first = await world.look(reach, { ...filter, limit: 200 });
    expect(first.jobs.map(({ id }) => id)).toEqual([idAt(6_000), idAt(5_000), idAt(4_000)]);
    expect(first.next).toBe(idAt(3_501));
    const full = await world.look(reach, { ...filter, limit: 2 });
    expect([full.jobs.map(({ id }) => id), full.next]).toEqual([[idAt(6_000), idAt(5_000)], idAt(5_000)]);
  });

  it('gives empty pages with a place to go on from, and null only at the end', async () => {
    const pages: JobPage[] = [];
    for (let beforeId: string | null | undefined; beforeId !== null; beforeId = pages.at(-1)?.next) {
      pages.push(await world.look(reach, { tag: 'unheard of', limit: 50, beforeId }));
    }
    expect(pages).toEqual([3_501, 1_001, null].map((at) => ({ jobs: [], next: at === null ? null : idAt(at) })));
  });

  it('looks only at rows of the status that is asked for', async () => {
    const page = await world.look(reach, { status: 'failed', tag: 'unheard of', limit: 50 });
    expect(page).toEqual({ jobs: [], next: idAt(1_001) });
  });

  it('ends a page when it has looked for long enough, but never without getting on', async () => {
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

  it('finds a window far in the past at once, and ends when it has passed it', async () => {
    const window = { createdAfter: timeAt(10), createdBefore: timeAt(20) };
    const { jobs, next } = await world.database.jobs.list({ ...window, limit: 200 });
    expect([jobs.map(({ id }) => id), next]).toEqual([idsOf((n) => n > 10 && n < 20), null]);
  });

  it('goes on inside a window from the cursor', async () => {
    const window = { createdAfter: timeAt(10), createdBefore: timeAt(20) };
    const { jobs } = await world.database.jobs.list({ ...window, limit: 200, beforeId: idAt(14) });
    expect(jobs.map(({ id }) => id)).toEqual(idsOf((n) => n > 10 && n < 14));
  });

  it('goes by the time of the row where the clock that made its id differed', async () => {
    const { database, sql, list } = await setup();
    const window = { createdAfter: timeAt(100), createdBefore: timeAt(110), limit: 10 };
    // An hour, and the way from the api to the database.
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

  it('leaves out what is deleted, or has another status, between being found and being read', async () => {
    const { database, sql, prisma } = await setup();
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
    const page = await listJobs({ connect, query: sql.query.bind(sql) } as unknown as pg.Pool, prisma, {
      limit: 10,
      status: 'queued',
    });
    expect([page.jobs.map(({ id }) => id), page.next]).toEqual([[ids[0]], null]);
  });
});

const MIB = 1024 ** 2;
const large = JSON.stringify('x'.repeat(MIB));
const manyErrors = JSON.stringify(
  Array.from({ length: 20 }, (_, attempt) => ({ code: 'spec', message: 'x'.repeat(MIB / 20), attempt, at: '' })),
);

describe.each([
  ['payload', large],
  ['result', large],
  ['errors', manyErrors],
])('jobs with a megabyte of %s', (column, json) => {
  const count = 12;
  const ids = Array.from({ length: count }, (_, minute) => idAt(count - minute));
  let world: Awaited<ReturnType<typeof setup>>;
  beforeAll(async () => {
    world = await setup();
    for (const id of ids) await world.database.jobs.create({ ...job, id });
    await world.sql.query(`update jobs set ${column} = $1::text::json where id <> $2`, [json, ids[0]]);
  });

  it('are listed by a few, also behind a small one', async () => {
    const pages = await world.walk({ limit: 200 });
    expect(pages.flat()).toEqual(ids);
    // The one that reaches two megabytes is the last.
    for (const page of pages) expect(page.length).toBeLessThanOrEqual(3);
  });

  it('are read by a few in a statement, with those before that are not there, and each once', async () => {
    const absent = randomUUID();
    const asked = [absent, ...ids.slice(0, 2), ids[1]?.toUpperCase() as string, ...ids.slice(2)];
    const read = await readFirstJobs(world.sql, asked);
    expect(read.map((each) => each?.id ?? null)).toEqual([null, ids[0], ids[1], ids[1], ids[2]]);
    expect(read[2]).toBe(read[3]);
    expect(await readFirstJobs(world.sql, [])).toEqual([]);
  });

  it('are read for all who ask at once', async () => {
    const read = await Promise.all(ids.map(world.database.jobs.get));
    expect(read.map((each) => each?.id)).toEqual(ids);
  });

  it('are read without it', async () => {
    const [brief, whole] = [await world.database.jobs.getBrief(idAt(1)), await world.database.jobs.get(idAt(1))];
    expect(brief).toEqual({ ...whole, payload: null, result: null, errors: [] });
    expect(await world.database.jobs.getBrief(randomUUID())).toBeNull();
  });
});

describe('getJob', () => {
  let world: Awaited<ReturnType<typeof tenJobs>>;
  beforeAll(async () => void (world = await tenJobs()));

  it('gives concurrent callers each their own job, and null where there is none', async () => {
    const { database, ids } = world;
    const asked = [ids[3], randomUUID(), ids[1], ids[3]] as string[];
    const jobs = await Promise.all(asked.map(database.jobs.get));
    expect(jobs.map((job) => job?.id)).toEqual([ids[3], undefined, ids[1], ids[3]]);
    expect(jobs[1]).toBeNull();
  });

  it('rejects for what is no UUID, without harming the callers beside it', async () => {
    const { database, ids } = world;
    const [good, bad] = await Promise.allSettled([database.jobs.get(ids[0] as string), database.jobs.get('nonsense')]);
    expect(good).toMatchObject({ status: 'fulfilled', value: { id: ids[0] } });
    expect(bad).toMatchObject({ status: 'rejected', reason: { code: '22P02' } }); // invalid_text_representation
  });
});
