import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { freshDatabaseUrl } from '@offload/testing';
import { migrate } from './migrate.ts';
import { openDatabase, type Database } from './open-database.ts';

const url = freshDatabaseUrl();
let database: Database;
/** In the order of creation, as with UUIDv7; the even ones are scheduled. */
const ids = Array.from({ length: 10 }, (_, index) => `019ac000-0000-7000-8000-00000000000${index}`);
const newestFirst = [...ids].reverse();

beforeAll(async () => {
  await migrate(url);
  database = openDatabase({ url });
  const policy = { maxAttempts: 3, timeoutMs: 1_000, backoff: { baseMs: 10, factor: 2, maxMs: 100 } };
  const job = { type: 'demo.sleep', queue: 'default', priority: 0, tags: [], payload: {}, ...policy, runAt: null };
  await Promise.all(ids.map((id, index) => database.createJob({ ...job, id, delayMs: index % 2 ? 0 : 60_000 })));
});
afterAll(() => database.close());

const list = async (filter: Parameters<Database['listJobs']>[0]) =>
  (await database.listJobs(filter)).jobs.map(({ id }) => id);

describe('listJobs', () => {
  it('lists the newest first, as many as asked for', async () => {
    expect(await list({ limit: 3 })).toEqual(newestFirst.slice(0, 3));
    expect(await list({ limit: 100 })).toEqual(newestFirst);
  });

  it('pages through all without a gap or a repetition', async () => {
    const pages: string[] = [];
    for (let beforeId: string | undefined; ;) {
      const page = await list({ limit: 4, beforeId });
      if (page.length === 0) break;
      pages.push(...page);
      beforeId = page.at(-1);
    }
    expect(pages).toEqual(newestFirst);
  });

  it('lists one status, with the cursor too', async () => {
    const scheduled = newestFirst.filter((id) => ids.indexOf(id) % 2 === 0);
    expect(await list({ status: 'scheduled', limit: 100 })).toEqual(scheduled);
    expect(await list({ status: 'scheduled', limit: 2, beforeId: scheduled[1] })).toEqual(scheduled.slice(2, 4));
    expect(await list({ status: 'failed', limit: 100 })).toEqual([]);
  });

  it('says whether there are more, also where the page is full to the last job', async () => {
    for (const [limit, more] of [
      [9, true],
      [10, false],
      [11, false],
    ] as const) {
      expect(await database.listJobs({ limit })).toMatchObject({ more });
    }
  });

  it('lists jobs as getJob gives them', async () => {
    const {
      jobs: [newest],
    } = await database.listJobs({ limit: 1 });
    expect(newest).toEqual(await database.getJob(newestFirst[0] as string));
  });

  it('ends a page of large jobs early, and the next one goes on from there', async () => {
    const large = 'x'.repeat(3 * 1024 * 1024);
    const tail = ids.at(-1) as string;
    const [older, newer] = ['1', '2'].map((digit) => tail.replace('019ac000', `019ac00${digit}`)) as [string, string];
    const policy = {
      maxAttempts: 1,
      timeoutMs: 1,
      backoff: { baseMs: 1, factor: 1, maxMs: 1 },
      runAt: null,
      delayMs: 0,
    };
    const rest = { type: 'demo.sleep', queue: 'default', priority: 0, tags: [], ...policy };
    for (const [id, count] of [
      [older, 1],
      [newer, 3],
    ] as const) {
      await database.createJob({ ...rest, id, payload: Array(count).fill(large) });
    }
    const page = await database.listJobs({ limit: 100 });
    expect([page.jobs.map(({ id }) => id), page.more]).toEqual([[newer], true]);
    expect((await list({ limit: 100, beforeId: newer }))[0]).toBe(older);
  });
});

describe('getJob', () => {
  it('gives concurrent callers each their own job, and null where there is none', async () => {
    const asked = [ids[3], randomUUID(), ids[1], ids[3]] as string[];
    const jobs = await Promise.all(asked.map(database.getJob));
    expect(jobs.map((job) => job?.id)).toEqual([ids[3], undefined, ids[1], ids[3]]);
    expect(jobs[1]).toBeNull();
  });

  it('rejects for what is no UUID, without harming the callers beside it', async () => {
    const [good, bad] = await Promise.allSettled([database.getJob(ids[0] as string), database.getJob('nonsense')]);
    expect(good).toMatchObject({ status: 'fulfilled', value: { id: ids[0] } });
    expect(bad).toMatchObject({ status: 'rejected', reason: { name: 'PrismaClientKnownRequestError' } });
  });
});
