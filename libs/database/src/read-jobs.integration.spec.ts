import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { readFirstJobs } from './read-jobs.ts';
import { setup, job, tenJobs, idAt } from './spec-read-jobs.ts';

describe('listJobs', () => {
  let world: Awaited<ReturnType<typeof tenJobs>>;
  beforeAll(async () => void (world = await tenJobs()));

  it('lists the newest jobs first, up to the limit', async () => {
    const { list, newestFirst } = world;
    expect(await list({ limit: 3 })).toEqual(newestFirst.slice(0, 3));
    expect(await list({ limit: 100 })).toEqual(newestFirst);
  });

  it('pages through all jobs without a gap or a repetition', async () => {
    const { walk, newestFirst } = world;
    const pages = await walk({ limit: 4 });
    expect(pages.map(({ length }) => length)).toEqual([4, 4, 2]);
    expect(pages.flat()).toEqual(newestFirst);
  });

  it('accepts a cursor in capital letters', async () => {
    const { list, newestFirst } = world;
    expect(await list({ limit: 2, beforeId: newestFirst[4]?.toUpperCase() })).toEqual(newestFirst.slice(5, 7));
  });

  it('lists one status, also with a cursor', async () => {
    const { list, ids, newestFirst } = world;
    const scheduled = newestFirst.filter((id) => ids.indexOf(id) % 2 === 0);
    expect(await list({ status: 'scheduled', limit: 100 })).toEqual(scheduled);
    expect(await list({ status: 'scheduled', limit: 2, beforeId: scheduled[1] })).toEqual(scheduled.slice(2, 4));
    expect(await list({ status: 'failed', limit: 100 })).toEqual([]);
  });

  it('returns the cursor of the next page, and null if a full page is the last', async () => {
    const { database, newestFirst } = world;
    expect((await database.jobs.list({ limit: 9 })).next).toBe(newestFirst[8]);
    expect((await database.jobs.list({ limit: 10 })).next).toBeNull();
    expect((await database.jobs.list({ limit: 11 })).next).toBeNull();
    expect((await database.jobs.list({ limit: 5, status: 'queued' })).next).toBeNull();
    expect((await database.jobs.list({ limit: 4, status: 'queued' })).next).toBe(newestFirst[6]);
  });

  it('lists jobs as getJob returns them', async () => {
    const { database, newestFirst } = world;
    const {
      jobs: [newest],
    } = await database.jobs.list({ limit: 1 });
    expect(newest).toEqual(await database.jobs.get(newestFirst[0] as string));
  });

  it('lists nothing if there are no jobs', async () => {
    const { database } = await setup();
    expect(await database.jobs.list({ limit: 1 })).toEqual({ jobs: [], next: null });
  });

  it('ends a page of large jobs early, and the next page continues there', async () => {
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

  it('are listed a few at a time, also after a small one', async () => {
    const pages = await world.walk({ limit: 200 });
    expect(pages.flat()).toEqual(ids);
    // The job that reaches two megabytes is the last.
    for (const page of pages) expect(page.length).toBeLessThanOrEqual(3);
  });

  it('are read a few per statement, each once, with unknown ids before them', async () => {
    const absent = randomUUID();
    const asked = [absent, ...ids.slice(0, 2), ids[1]?.toUpperCase() as string, ...ids.slice(2)];
    const read = await readFirstJobs(world.sql, asked);
    expect(read.map((each) => each?.id ?? null)).toEqual([null, ids[0], ids[1], ids[1], ids[2]]);
    expect(read[2]).toBe(read[3]);
    expect(await readFirstJobs(world.sql, [])).toEqual([]);
  });

  it('are read for all concurrent callers', async () => {
    const read = await Promise.all(ids.map(world.database.jobs.get));
    expect(read.map((each) => each?.id)).toEqual(ids);
  });

  it('are read without the large column', async () => {
    const [brief, whole] = [await world.database.jobs.getBrief(idAt(1)), await world.database.jobs.get(idAt(1))];
    expect(brief).toEqual({ ...whole, payload: null, result: null, errors: [] });
    expect(await world.database.jobs.getBrief(randomUUID())).toBeNull();
  });
});

describe('getJob', () => {
  let world: Awaited<ReturnType<typeof tenJobs>>;
  beforeAll(async () => void (world = await tenJobs()));

  it('gives each concurrent caller its own job, and null if there is none', async () => {
    const { database, ids } = world;
    const asked = [ids[3], randomUUID(), ids[1], ids[3]] as string[];
    const jobs = await Promise.all(asked.map(database.jobs.get));
    expect(jobs.map((job) => job?.id)).toEqual([ids[3], undefined, ids[1], ids[3]]);
    expect(jobs[1]).toBeNull();
  });

  it('rejects an id that is no UUID, without rejecting other callers', async () => {
    const { database, ids } = world;
    const [good, bad] = await Promise.allSettled([database.jobs.get(ids[0] as string), database.jobs.get('nonsense')]);
    expect(good).toMatchObject({ status: 'fulfilled', value: { id: ids[0] } });
    expect(bad).toMatchObject({ status: 'rejected', reason: { code: '22P02' } }); // invalid_text_representation
  });
});
