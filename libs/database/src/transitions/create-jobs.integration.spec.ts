import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { freshDatabaseUrl } from '@offload/testing';
import pg from 'pg';
import { migrate } from '../migrate.ts';
import { openDatabase, type Database } from '../open-database.ts';
import type { NewJob } from './create-jobs.ts';

const RING_GRACE_MS = 60_000;
const url = freshDatabaseUrl();
let database: Database;
let sql: pg.Pool;

beforeAll(async () => {
  await migrate(url);
  database = openDatabase({ url, ringGraceMs: RING_GRACE_MS });
  sql = new pg.Pool({ connectionString: url });
});
afterAll(() => Promise.all([database.close(), sql.end()]));

const newJob = (values: Partial<NewJob> = {}): NewJob => ({
  id: randomUUID(),
  type: 'demo.sleep',
  queue: 'default',
  priority: 0,
  tags: [],
  payload: {},
  maxAttempts: 3,
  timeoutMs: 1_000,
  backoff: { baseMs: 10, factor: 2, maxMs: 100 },
  delayMs: 0,
  runAt: null,
  ...values,
});

/** The job's outbox rows, and how long after the job's creation and its due time each is due. */
async function owed(jobId: string): Promise<{ id: string; afterCreation: number; afterDue: number }[]> {
  const { rows } = await sql.query(
    `select outbox.id, extract(epoch from outbox.due_at - created_at)::float8 * 1000 as "afterCreation",
      extract(epoch from outbox.due_at - jobs.due_at)::float8 * 1000 as "afterDue"
     from outbox join jobs on jobs.id = job_id where job_id = $1`,
    [jobId],
  );
  return rows;
}

/** The database's time, which need not be this machine's. */
const serverTime = async (): Promise<number> => (await sql.query('select now() as now')).rows[0].now.getTime();

describe('createJob', () => {
  it('queues a due job, with every default of a job that has not run', async () => {
    const wanted = newJob({ priority: 7, tags: ['b', 'a', 'b'], payload: { seconds: 1 } });
    const { job } = await database.createJob(wanted);
    expect(job).toEqual({
      ...{ id: wanted.id, type: 'demo.sleep', queue: 'default', status: 'queued', priority: 7, tags: ['b', 'a', 'b'] },
      ...{ payload: { seconds: 1 }, result: null, error: null, errors: [], progress: null, attempt: 0, maxAttempts: 3 },
      ...{ version: 1, createdAt: job.createdAt, dueAt: job.createdAt },
      ...{ startedAt: null, finishedAt: null, durationMs: null },
    });
    expect(await database.getJob(wanted.id)).toEqual(job);
  });

  it('owes a due job its ring after the grace in which its creator rings', async () => {
    const { job, outboxId } = await database.createJob(newJob());
    expect(await owed(job.id)).toEqual([{ id: outboxId, afterCreation: RING_GRACE_MS, afterDue: RING_GRACE_MS }]);
  });

  it('schedules a delayed job by the clock of the database, and owes its ring when it is due', async () => {
    const { job, outboxId } = await database.createJob(newJob({ delayMs: 90_000 }));
    expect(job.status).toBe('scheduled');
    expect(Date.parse(job.dueAt) - Date.parse(job.createdAt)).toBe(90_000);
    expect(await owed(job.id)).toEqual([{ id: outboxId, afterCreation: 90_000, afterDue: 0 }]);
  });

  it('schedules a job for a time in the future, whatever its offset', async () => {
    const time = (await serverTime()) + 3_600_000;
    const runAt = new Date(time + 7_200_000).toISOString().replace('Z', '+02:00');
    const { job } = await database.createJob(newJob({ runAt, delayMs: 5 }));
    expect(job).toMatchObject({ status: 'scheduled', dueAt: new Date(time).toISOString() });
    expect(await owed(job.id)).toMatchObject([{ afterDue: 0 }]);
  });

  it('queues a job whose time is past, with the same grace as any due job', async () => {
    const { job } = await database.createJob(newJob({ runAt: '2001-02-03T04:05:06.789Z' }));
    expect(job).toMatchObject({ status: 'queued', dueAt: '2001-02-03T04:05:06.789Z' });
    expect(await owed(job.id)).toMatchObject([{ afterCreation: RING_GRACE_MS }]);
  });

  it.each([
    ['NUL and lone surrogates, also in names', { '\u0000': 'a\u0000b', '\ud800': '\udfff and \ud83d', '😀': '😀' }],
    ['the order of its members', { z: 1, a: { y: 2, b: 3 }, '1': 4 }],
    ['what PostgreSQL arrays and JSON quote', ['{"\\', "it's", 'a,b', '', 'NULL', '$1', '\u2028\n\t']],
    ['numbers', [0.1, 1e21, -1e-7, 9_007_199_254_740_991]],
    ['what looks like the inside of Prisma', { $type: 'Json', value: '[1]' }],
    ['null', null],
    ['text', 'text'],
    ['false', false],
  ])('keeps a payload to the letter: %s', async (_what, payload) => {
    const { job } = await database.createJob(newJob({ payload }));
    expect(JSON.stringify(job.payload)).toBe(JSON.stringify(payload));
    expect(JSON.stringify((await database.getJob(job.id))?.payload)).toBe(JSON.stringify(payload));
  });

  it('keeps a payload of megabytes', async () => {
    const payload = { text: 'ö\u0000'.repeat(1_000_000) };
    const { job } = await database.createJob(newJob({ payload }));
    expect((await database.getJob(job.id))?.payload).toEqual(payload);
  });

  it('gives concurrent callers each their own job', async () => {
    const wanted = Array.from({ length: 250 }, (_, index) => newJob({ tags: [`tag ${index}`], payload: index }));
    const created = await Promise.all(wanted.map((job) => database.createJob(job)));
    expect(created.map(({ job: { id, tags, payload } }) => ({ id, tags, payload }))).toEqual(
      wanted.map(({ id, tags, payload }) => ({ id, tags, payload })),
    );
    expect(new Set(created.map(({ outboxId }) => outboxId)).size).toBe(250);
  });

  it('refuses an id that is taken without harming the jobs beside it', async () => {
    const { job: existing } = await database.createJob(newJob());
    const [before, twin, after] = [newJob(), newJob({ id: existing.id, payload: 'twin' }), newJob()];
    const outcomes = await Promise.allSettled([before, twin, after].map((job) => database.createJob(job)));
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(outcomes[1]).toMatchObject({ reason: { code: '23505' } });
    expect(await database.getJob(existing.id)).toEqual(existing);
    expect(await owed(existing.id)).toHaveLength(1);
  });

  it('takes an id in capital letters', async () => {
    const id = randomUUID();
    const { job } = await database.createJob(newJob({ id: id.toUpperCase() }));
    expect(job.id).toBe(id);
    expect(await database.getJob(id.toUpperCase())).toEqual(job);
  });
});
