import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Job } from '@offload/contracts';
import { freshDatabaseUrl } from '@offload/testing';
import pg from 'pg';
import { migrate } from '../migrate.ts';
import { openDatabase, type Database } from '../open-database.ts';
import type { AttemptError, Outcome } from './settle-jobs.ts';

const url = freshDatabaseUrl();
let database: Database;
let sql: pg.Pool;

beforeAll(async () => {
  await migrate(url);
  database = openDatabase({ url });
  sql = new pg.Pool({ connectionString: url });
});
afterAll(() => Promise.all([database.close(), sql.end()]));

/** A job whose first attempt runs, with the ring of its creation confirmed. */
async function running({ maxAttempts = 3 } = {}) {
  const id = randomUUID();
  const backoff = { baseMs: 10, factor: 2, maxMs: 100 };
  const policy = { queue: 'default', priority: 0, tags: [], maxAttempts, timeoutMs: 1_000, backoff, delayMs: 0 };
  const { outboxId } = await database.createJob({ id, type: 'demo.sleep', payload: {}, ...policy, runAt: null });
  await database.confirmRing(outboxId);
  const ringId = randomUUID();
  let deliveryCount = -1;
  const claim = async (redelivered = false) =>
    database.claimJob({
      jobId: id,
      ringId,
      redelivered,
      deliveryCount: (deliveryCount += 1),
      claimId: randomUUID(),
      holder: 'spec',
    });
  await claim();
  const settle = (outcome: Outcome, attempt = 1) => database.settleJob({ jobId: id, attempt, outcome });
  return { id, claim, settle };
}

const read = async (id: string): Promise<Job> => (await database.getJob(id)) as Job;
const errorOf = (attempt: number, message = 'no luck'): AttemptError => ({ code: 'handler-error', message, attempt });
/** The same as it is kept: with the time, by the database's clock. */
const kept = (attempt: number, message?: string) => ({
  ...errorOf(attempt, message),
  at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
});
/** How long after now the job's rings are due, in milliseconds. */
async function owed(id: string): Promise<number[]> {
  const due = 'extract(epoch from outbox.due_at - jobs.due_at)::float8 as "afterDue"';
  const { rows } = await sql.query(`select ${due} from outbox join jobs on jobs.id = job_id where job_id = $1`, [id]);
  return rows.map(({ afterDue }) => afterDue);
}
const msUntilDue = async (id: string): Promise<number> =>
  (await sql.query('select extract(epoch from due_at - now())::float8 * 1000 as ms from jobs where id = $1', [id]))
    .rows[0].ms;

describe('settleJob', () => {
  it('ends a job as succeeded with its result, kept to the letter', async () => {
    const { id, settle } = await running();
    await database.reportProgress(id, 1, { percent: 99, message: 'nearly' });
    const result = { z: 'a\u0000b \ud800', a: [1.5, null, '{"\\'] };
    const settled = await settle({ status: 'succeeded', result });
    const job = await read(id);
    expect(settled).toEqual(job);
    expect(JSON.stringify(job.result)).toBe(JSON.stringify(result));
    expect(job).toMatchObject({ status: 'succeeded', attempt: 1, version: 4, error: null, errors: [] });
    expect(job.progress).toEqual({ percent: 99, message: 'nearly' });
    expect(job.durationMs).toBe(Date.parse(job.finishedAt as string) - Date.parse(job.startedAt as string));
    expect(await owed(id)).toEqual([]);
  });

  it.each([[null], [undefined], [0], [''], [[]]])('takes the result %p', async (result) => {
    const { id, settle } = await running();
    await settle({ status: 'succeeded', result });
    expect(await read(id)).toMatchObject({ status: 'succeeded', result: result ?? null });
  });

  it('ends a job as failed with its error, and keeps what earlier attempts failed with', async () => {
    const { id, claim, settle } = await running();
    await settle({ status: 'scheduled', error: errorOf(1), delayMs: 0 });
    await claim();
    const settled = await settle({ status: 'failed', error: errorOf(2, 'for good') }, 2);
    const job = await read(id);
    expect(settled).toEqual(job);
    expect(job).toMatchObject({ status: 'failed', attempt: 2, result: null, errors: [kept(1)] });
    expect(job.error).toEqual(kept(2, 'for good'));
    expect(job.finishedAt).not.toBeNull();
  });

  it('schedules a retry by the clock of the database and owes its ring when it is due', async () => {
    const { id, settle } = await running();
    const settled = await settle({ status: 'scheduled', error: errorOf(1), delayMs: 60_000 });
    const job = await read(id);
    expect(settled).toEqual(job);
    expect(job).toMatchObject({ status: 'scheduled', attempt: 1, maxAttempts: 3, error: null, finishedAt: null });
    expect(job.errors).toEqual([kept(1)]);
    expect(await owed(id)).toEqual([0]);
    const ms = await msUntilDue(id);
    expect(ms).toBeGreaterThan(30_000);
    expect(ms).toBeLessThanOrEqual(60_001);
  });

  it('lets "not now" cost no attempt: one more is allowed, none is taken back', async () => {
    const { id, settle } = await running({ maxAttempts: 1 });
    const settled = await settle({ status: 'scheduled', error: null, delayMs: 60_000 });
    expect(settled).toMatchObject({ status: 'scheduled', attempt: 1, maxAttempts: 2, errors: [], error: null });
    expect(await owed(id)).toEqual([0]);
  });

  it('queues a job that is given back at once, without costing an attempt, and owes a ring should its old one be lost', async () => {
    const { id, claim, settle } = await running({ maxAttempts: 1 });
    const settled = await settle({ status: 'queued' });
    expect(settled).toMatchObject({ status: 'queued', attempt: 1, maxAttempts: 2, errors: [], error: null });
    expect(settled?.finishedAt).toBeNull();
    expect(await owed(id)).toEqual([expect.closeTo(5, 0)]);
    expect(await claim(true)).toMatchObject({ kind: 'claimed', takeover: false, job: { attempt: 2, errors: [] } });
  });

  it.each<Outcome>([
    { status: 'succeeded', result: 'stale' },
    { status: 'failed', error: errorOf(1) },
    { status: 'scheduled', error: errorOf(1), delayMs: 0 },
    { status: 'queued' },
  ])('refuses the $status of an attempt that was taken over, and lets the new one write', async (outcome) => {
    const { id, claim, settle } = await running();
    await claim(true);
    const before = await read(id);
    expect(await settle(outcome, 1)).toBeNull();
    expect(await read(id)).toEqual(before);
    expect(await owed(id)).toEqual([]);
    expect(await settle({ status: 'succeeded', result: 'fresh' }, 2)).toMatchObject({ result: 'fresh', attempt: 2 });
  });

  it('refuses a second outcome of the same attempt', async () => {
    const { id, settle } = await running();
    await settle({ status: 'succeeded', result: 1 });
    const before = await read(id);
    expect(await settle({ status: 'failed', error: errorOf(1) })).toBeNull();
    expect(await read(id)).toEqual(before);
  });

  it('refuses an outcome of an attempt that has not begun, or of an unknown job', async () => {
    const { settle } = await running();
    expect(await settle({ status: 'succeeded', result: 1 }, 2)).toBeNull();
    const outcome: Outcome = { status: 'succeeded', result: 1 };
    expect(await database.settleJob({ jobId: randomUUID(), attempt: 1, outcome })).toBeNull();
  });

  it('settles different jobs, and two attempts of one, in one batch, each for itself', async () => {
    const [one, two, three, four] = [await running(), await running(), await running(), await running()];
    await three.claim(true);
    const settled = await Promise.all([
      one.settle({ status: 'succeeded', result: ['{', '"'] }),
      two.settle({ status: 'failed', error: errorOf(1) }),
      three.settle({ status: 'succeeded', result: 'stale' }, 1),
      three.settle({ status: 'scheduled', error: null, delayMs: 60_000 }, 2),
      four.settle({ status: 'queued' }),
    ]);
    expect(settled.map((job) => job && [job.id, job.status, job.result])).toEqual([
      [one.id, 'succeeded', ['{', '"']],
      [two.id, 'failed', null],
      null,
      [three.id, 'scheduled', null],
      [four.id, 'queued', null],
    ]);
    expect(await owed(three.id)).toEqual([0]);
  });
});

describe('reportProgress', () => {
  it('stores the progress of the attempt that holds the job', async () => {
    const { id } = await running();
    const reported = await database.reportProgress(id, 1, { percent: 12.5, message: 'über "1"' });
    expect(reported).toEqual(await read(id));
    expect(reported).toMatchObject({ version: 3, status: 'running', progress: { percent: 12.5, message: 'über "1"' } });
  });

  it('refuses an attempt that was taken over, a finished job and an unknown one', async () => {
    const { id, claim, settle } = await running();
    const progress = { percent: 50, message: null };
    await claim(true);
    expect(await database.reportProgress(id, 1, progress)).toBeNull();
    await settle({ status: 'succeeded', result: 1 }, 2);
    expect(await database.reportProgress(id, 2, progress)).toBeNull();
    expect(await database.reportProgress(randomUUID(), 1, progress)).toBeNull();
    expect((await read(id)).progress).toBeNull();
  });
});
