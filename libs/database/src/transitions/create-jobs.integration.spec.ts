import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SerializedJob } from '@offload/jobs';
import { freshDatabaseUrl } from '@offload/spec-kit';
import pg from 'pg';
import { migrate } from '../migrate.ts';
import { openDatabase, type Database } from '../open-database.ts';
import type { NewJob, Submitted } from './create-jobs.ts';
import type { IdempotencyKey } from './idempotency-keys.ts';

const DISPATCH_GRACE_MS = 60_000;
const url = freshDatabaseUrl();
let database: Database;
let sql: pg.Pool;

beforeAll(async () => {
  await migrate(url);
  database = openDatabase({ url, dispatchGraceMs: DISPATCH_GRACE_MS });
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
async function pending(jobId: string): Promise<{ id: string; afterCreation: number; afterDue: number }[]> {
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
    const { job } = await database.jobs.create(wanted);
    expect(job).toEqual({
      ...{ id: wanted.id, type: 'demo.sleep', queue: 'default', status: 'queued', priority: 7, tags: ['b', 'a', 'b'] },
      ...{ payload: { seconds: 1 }, result: null, error: null, errors: [], progress: null, attempt: 0, maxAttempts: 3 },
      ...{ version: 1, createdAt: job.createdAt, dueAt: job.createdAt },
      ...{ startedAt: null, finishedAt: null, durationMs: null },
    });
    expect(await database.jobs.get(wanted.id)).toEqual(job);
  });

  it('stores the dispatch message of a due job as pending after the grace in which its creator dispatches', async () => {
    const { job, outboxId } = await database.jobs.create(newJob());
    expect(await pending(job.id)).toEqual([
      { id: outboxId, afterCreation: DISPATCH_GRACE_MS, afterDue: DISPATCH_GRACE_MS },
    ]);
  });

  it('schedules a delayed job by the clock of the database, and has a pending dispatch message when it is due', async () => {
    const { job, outboxId } = await database.jobs.create(newJob({ delayMs: 90_000 }));
    expect(job.status).toBe('scheduled');
    expect(Date.parse(job.dueAt) - Date.parse(job.createdAt)).toBe(90_000);
    expect(await pending(job.id)).toEqual([{ id: outboxId, afterCreation: 90_000, afterDue: 0 }]);
  });

  it('schedules a job for a time in the future, whatever its offset', async () => {
    const time = (await serverTime()) + 3_600_000;
    const runAt = new Date(time + 7_200_000).toISOString().replace('Z', '+02:00');
    const { job } = await database.jobs.create(newJob({ runAt, delayMs: 5 }));
    expect(job).toMatchObject({ status: 'scheduled', dueAt: new Date(time).toISOString() });
    expect(await pending(job.id)).toMatchObject([{ afterDue: 0 }]);
  });

  it('queues a job whose time is past, with the same grace as any due job', async () => {
    const { job } = await database.jobs.create(newJob({ runAt: '2001-02-03T04:05:06.789Z' }));
    expect(job).toMatchObject({ status: 'queued', dueAt: '2001-02-03T04:05:06.789Z' });
    expect(await pending(job.id)).toMatchObject([{ afterCreation: DISPATCH_GRACE_MS }]);
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
    const { job } = await database.jobs.create(newJob({ payload }));
    expect(JSON.stringify(job.payload)).toBe(JSON.stringify(payload));
    expect(JSON.stringify((await database.jobs.get(job.id))?.payload)).toBe(JSON.stringify(payload));
  });

  it('keeps a payload of megabytes', async () => {
    const payload = { text: 'ö\u0000'.repeat(1_000_000) };
    const { job } = await database.jobs.create(newJob({ payload }));
    expect((await database.jobs.get(job.id))?.payload).toEqual(payload);
  });

  it('gives concurrent callers each their own job', async () => {
    const wanted = Array.from({ length: 250 }, (_, index) => newJob({ tags: [`tag ${index}`], payload: index }));
    const created = await Promise.all(wanted.map((job) => database.jobs.create(job)));
    expect(created.map(({ job: { id, tags, payload } }) => ({ id, tags, payload }))).toEqual(
      wanted.map(({ id, tags, payload }) => ({ id, tags, payload })),
    );
    expect(new Set(created.map(({ outboxId }) => outboxId)).size).toBe(250);
  });

  it('refuses an id that is taken without harming the jobs beside it', async () => {
    const { job: existing } = await database.jobs.create(newJob());
    const [before, twin, after] = [newJob(), newJob({ id: existing.id, payload: 'twin' }), newJob()];
    const outcomes = await Promise.allSettled([before, twin, after].map((job) => database.jobs.create(job)));
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(outcomes[1]).toMatchObject({ reason: { code: '23505' } });
    expect(await database.jobs.get(existing.id)).toEqual(existing);
    expect(await pending(existing.id)).toHaveLength(1);
  });

  it('takes an id in capital letters', async () => {
    const id = randomUUID();
    const { job } = await database.jobs.create(newJob({ id: id.toUpperCase() }));
    expect(job.id).toBe(id);
    expect(await database.jobs.get(id.toUpperCase())).toEqual(job);
  });
});

describe('submit', () => {
  let keys = 0;
  const idempotency = (more: Partial<IdempotencyKey> = {}): IdempotencyKey => ({
    ...{ client: 'ci', key: `key ${(keys += 1)}`, fingerprint: Buffer.from([0, 1, 255]) },
    ...more,
  });
  const count = async (dedupeKey: string): Promise<number> =>
    (await sql.query('select from jobs where dedupe_key = $1', [dedupeKey])).rowCount ?? 0;
  const idsOf = (submitted: Submitted): string[] =>
    submitted.kind === 'created' ? submitted.jobs.map(({ serialized }) => serialized.job.id) : [];

  it('makes all jobs of a request in their order, each with its dispatch message', async () => {
    const jobs = Array.from({ length: 1_000 }, (_, index) => newJob({ payload: index }));
    const submitted = await database.jobs.submit({ jobs, idempotency: null });
    expect(idsOf(submitted)).toEqual(jobs.map(({ id }) => id));
    expect(await pending(jobs[999]?.id ?? '')).toHaveLength(1);
  });

  it('makes none of them when one can not be made', async () => {
    const { job: existing } = await database.jobs.create(newJob());
    const fine = newJob();
    await expect(
      database.jobs.submit({ jobs: [fine, newJob({ id: existing.id })], idempotency: idempotency({ key: 'untaken' }) }),
    ).rejects.toThrow('jobs_pkey');
    expect(await database.jobs.get(fine.id)).toBeNull();
    expect(await database.jobs.isKeyKept('ci', 'untaken')).toBe(false);
  });

  it('tells what a key has led to instead of making it again, and when', async () => {
    const key = idempotency();
    const [one, other] = [newJob(), newJob()];
    const first = await database.jobs.submit({ jobs: [one, other], idempotency: key });
    const createdAt = first.kind === 'created' ? first.jobs[0]?.serialized.job.createdAt : undefined;
    const again = await database.jobs.submit({ jobs: [newJob(), newJob()], idempotency: key });
    const made = [one, other].map(({ id }) => ({ id, made: true }));
    expect(again).toEqual({ kind: 'replayed', jobs: made, createdAt });
    expect(await database.jobs.isKeyKept(key.client, key.key)).toBe(true);
  });

  it('keeps the keys of clients apart, and notices another request under the same key', async () => {
    const key = idempotency();
    await database.jobs.submit({ jobs: [newJob()], idempotency: key });
    const another = { ...key, fingerprint: Buffer.from([0, 1, 254]) };
    const job = newJob();
    expect(await database.jobs.submit({ jobs: [job], idempotency: another })).toEqual({ kind: 'key-reused' });
    expect(await database.jobs.get(job.id)).toBeNull();
    const theirs = await database.jobs.submit({ jobs: [job], idempotency: { ...another, client: 'web' } });
    expect(idsOf(theirs)).toEqual([job.id]);
  });

  it('makes one job of a key that two processes and many requests use at once', async () => {
    const second = openDatabase({ url, dispatchGraceMs: DISPATCH_GRACE_MS });
    const key = idempotency();
    const outcomes = await Promise.all(
      Array.from({ length: 200 }, (_, index) =>
        (index % 2 ? database : second).jobs.submit({ jobs: [newJob()], idempotency: key }),
      ),
    );
    await second.close();
    const created = outcomes.filter(({ kind }) => kind === 'created');
    expect(created).toHaveLength(1);
    const made = created.flatMap(idsOf).map((id) => ({ id, made: true }));
    for (const outcome of outcomes) if (outcome.kind !== 'created') expect(outcome).toMatchObject({ jobs: made });
  });

  it('takes an unfinished job of the same type with the same dedupe key instead of making another', async () => {
    const wanted = { dedupeKey: 'invoice 1', delayMs: 60_000 };
    const { job } = await database.jobs.create(newJob(wanted));
    const again = await database.jobs.submit({ jobs: [newJob(wanted)], idempotency: null });
    expect(again).toEqual({
      kind: 'created',
      jobs: [{ serialized: new SerializedJob({ ...job, payload: null }), outboxId: null }],
    });
    const otherType = newJob({ ...wanted, type: 'http.request' });
    expect(idsOf(await database.jobs.submit({ jobs: [otherType], idempotency: null }))).toEqual([otherType.id]);

    await database.jobs.cancel(job.id);
    const next = newJob(wanted);
    expect(idsOf(await database.jobs.submit({ jobs: [next], idempotency: null }))).toEqual([next.id]);
  });

  it('takes the same job for all that have a dedupe key in one request, and remembers that under its key', async () => {
    const key = idempotency();
    const jobs = ['a', 'b', 'a', null, null].map((dedupeKey) => newJob({ dedupeKey }));
    const [a, b, , c, d] = jobs.map(({ id }) => id);
    const submitted = await database.jobs.submit({ jobs, idempotency: key });
    expect(idsOf(submitted)).toEqual([a, b, a, c, d]);
    expect(submitted.kind === 'created' && submitted.jobs.map(({ outboxId }) => outboxId !== null)).toEqual([
      ...[true, true, false, true, true],
    ]);
    const again = await database.jobs.submit({ jobs, idempotency: key });
    expect(again.kind === 'replayed' && again.jobs.map(({ made }) => made)).toEqual([true, true, false, true, true]);
    const none = await database.jobs.submit({ jobs: [newJob({ dedupeKey: 'a' })], idempotency: idempotency() });
    expect(idsOf(none)).toEqual([a]);
  });

  it('makes one job of a dedupe key that two processes use at once, in whatever order', async () => {
    const second = openDatabase({ url, dispatchGraceMs: DISPATCH_GRACE_MS });
    const wanted = Array.from({ length: 20 }, (_, index) => ({ dedupeKey: `race ${index}`, delayMs: 60_000 }));
    const outcomes = await Promise.all(
      Array.from({ length: 10 }, (_, round) => {
        const jobs = (round % 2 ? wanted : [...wanted].reverse()).map(newJob);
        return (round % 2 ? database : second).jobs.submit({ jobs, idempotency: null });
      }),
    );
    await second.close();
    const made = outcomes.flatMap((outcome) =>
      outcome.kind === 'created' ? outcome.jobs.filter(({ outboxId }) => outboxId !== null) : [],
    );
    expect(made).toHaveLength(20);
    expect(await count('race 7')).toBe(1);
  });

  it('hands a trace context on to the dispatch messages', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const [traced, plain] = [newJob({ traceparent, runAt: '2001-02-03T04:05:06Z' }), newJob()];
    await database.jobs.submit({ jobs: [traced, plain], idempotency: null });
    await sql.query('update outbox set due_at = now() where job_id = any($1)', [[traced.id, plain.id]]);
    const dispatches = await database.outbox.takeDue(1_000, 60_000);
    const traces = [traced, plain].map(({ id }) => dispatches.find(({ jobId }) => jobId === id)?.traceparent);
    expect(traces).toEqual([traceparent, null]);
  });
});
