import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SerializedJob, type Job } from '@offload/jobs';
import { freshDatabaseUrl } from '@offload/testing';
import pg from 'pg';
import { migrate } from '../migrate.ts';
import { openDatabase, type Database } from '../open-database.ts';
import { claimJobs, claimWaitingJobs, type Claim, type Delivery } from './claim-jobs.ts';
import { confirmRings } from './owed-rings.ts';

const url = freshDatabaseUrl();
let database: Database;
let sql: pg.Pool;

beforeAll(async () => {
  await migrate(url);
  database = openDatabase({ url });
  sql = new pg.Pool({ connectionString: url });
});
afterAll(() => Promise.all([database.close(), sql.end()]));

async function create({ delayMs = 0, maxAttempts = 3 } = {}): Promise<string> {
  const id = randomUUID();
  const backoff = { baseMs: 10, factor: 2, maxMs: 100 };
  const policy = { queue: 'default', priority: 0, tags: [], maxAttempts, timeoutMs: 1_234, backoff, delayMs };
  await database.jobs.create({ id, type: 'demo.sleep', payload: {}, ...policy, runAt: null });
  return id;
}

/** A ring's deliveries: the first, and the same handed out again; each time a new one, with a claim of its own. */
function ring(jobId: string, ringId: string = randomUUID()) {
  let handedOut = 0;
  const delivery = (redelivered: boolean): Delivery => ({
    ...{ jobId, ringId, redelivered, claimId: randomUUID(), holder: 'spec' },
    deliveryCount: redelivered ? (handedOut += 1) : 0,
  });
  return {
    get first() {
      return delivery(false);
    },
    get again() {
      return delivery(true);
    },
  };
}

/** A job that runs, held by `holder`'s delivery. */
async function running(options?: { maxAttempts?: number }) {
  const jobId = await create(options);
  const holder = ring(jobId);
  await database.jobs.claim(holder.first);
  return { jobId, holder, stranger: ring(jobId) };
}

const read = async (jobId: string): Promise<Job> => (await database.jobs.get(jobId)) as Job;
const makeDue = (jobId: string) =>
  sql.query(`update jobs set due_at = now() - interval '1 second' where id = $1`, [jobId]);
const claimAll = (deliveries: ReturnType<typeof ring>['first'][]): Promise<Claim[]> =>
  Promise.all(deliveries.map((delivery) => database.jobs.claim(delivery)));

describe('claimJob', () => {
  it('starts the first attempt of a queued job', async () => {
    const jobId = await create();
    const claim = await database.jobs.claim(ring(jobId).first);
    const job = await read(jobId);
    expect(claim).toEqual({
      ...{ kind: 'claimed', job, serialized: new SerializedJob(job, '{}'), takeover: false },
      ...{ timeoutMs: 1_234, backoff: { baseMs: 10, factor: 2, maxMs: 100 }, owesWebhook: false },
    });
    expect(job).toMatchObject({ status: 'running', attempt: 1, version: 2, finishedAt: null, errors: [] });
    expect(Date.parse(job.startedAt as string)).toBeGreaterThanOrEqual(Date.parse(job.createdAt));
  });

  it('starts a scheduled job that is due, for its ring can outrun the relay', async () => {
    const jobId = await create({ delayMs: 60_000 });
    await makeDue(jobId);
    expect(await database.jobs.claim(ring(jobId).first)).toMatchObject({ kind: 'claimed', job: { attempt: 1 } });
  });

  it('starts a queued job on a redelivered ring: its holder gave it back', async () => {
    const jobId = await create();
    expect(await database.jobs.claim(ring(jobId).again)).toMatchObject({ kind: 'claimed', takeover: false });
  });

  it('refuses a scheduled job that is not due', async () => {
    const jobId = await create({ delayMs: 60_000 });
    const before = await read(jobId);
    for (const delivery of Object.values(ring(jobId))) {
      expect(await database.jobs.claim(delivery)).toEqual({ kind: 'refused', job: before });
    }
    expect(await read(jobId)).toEqual(before);
  });

  it.each(['succeeded', 'failed', 'cancelled'])(
    'refuses a job that has %s, even the ring that held it',
    async (status) => {
      const { jobId, holder } = await running();
      await sql.query('update jobs set status = $2::job_status, finished_at = now() where id = $1', [jobId, status]);
      const before = await read(jobId);
      expect(before.status).toBe(status);
      expect(await database.jobs.claim(holder.again)).toEqual({ kind: 'refused', job: before });
      expect(await read(jobId)).toEqual(before);
    },
  );

  it('refuses an unknown job', async () => {
    expect(await database.jobs.claim(ring(randomUUID()).first)).toEqual({ kind: 'refused', job: null });
  });

  it('refuses a running job to another ring, redelivered or not, and to a duplicate of its own', async () => {
    const { jobId, holder, stranger } = await running();
    const before = await read(jobId);
    for (const delivery of [stranger.first, stranger.again]) {
      expect(await database.jobs.claim(delivery)).toEqual({ kind: 'refused', job: before });
    }
    expect(await database.jobs.claim(holder.first)).toEqual({ kind: 'held', job: before });
    expect(await read(jobId)).toEqual(before);
  });

  it('lets the ring that held a running job take it over when it is redelivered', async () => {
    const { jobId, holder } = await running();
    const claim = await database.jobs.claim(holder.again);
    const job = await read(jobId);
    expect(claim).toMatchObject({ kind: 'claimed', takeover: true, timeoutMs: 1_234 });
    expect(claim.job).toEqual(job);
    expect(job).toMatchObject({ status: 'running', attempt: 2, version: 3, error: null, finishedAt: null });
    const at = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    const message = 'the worker that ran this attempt is gone';
    expect(job.errors).toEqual([{ code: 'worker-lost', message, attempt: 1, at }]);
  });

  it('lets a claim whose answer was lost go on with the attempt it has, without using up another', async () => {
    const jobId = await create({ maxAttempts: 1 });
    const { first } = ring(jobId);
    await database.jobs.claim(first); // unheard
    const claim = await database.jobs.claim(first);
    expect(claim).toMatchObject({ kind: 'claimed', takeover: false, job: { attempt: 1, errors: [] } });
    const { jobId: other, holder } = await running({ maxAttempts: 2 });
    const takeover = holder.again;
    await database.jobs.claim(takeover);
    expect(await database.jobs.claim(takeover)).toMatchObject({ kind: 'claimed', job: { attempt: 2 } });
    expect((await read(other)).errors).toHaveLength(1);
  });

  it('refuses the repeated claim of a delivery that was lost to another meanwhile', async () => {
    const jobId = await create();
    const { first, again } = ring(jobId);
    await database.jobs.claim(again);
    expect(await database.jobs.claim(first)).toMatchObject({ kind: 'held', job: { attempt: 1 } });
  });

  it('lets no late claim of an earlier delivery take over from a later one', async () => {
    const jobId = await create({ maxAttempts: 1 });
    const { again: earlier, ...rest } = ring(jobId);
    const later = { ...earlier, deliveryCount: earlier.deliveryCount + 1, claimId: rest.first.claimId };
    await database.jobs.claim(later);
    const before = await read(jobId);
    expect(await database.jobs.claim(earlier)).toEqual({ kind: 'held', job: before });
    expect(await read(jobId)).toEqual(before);
  });

  it('clears the progress of the lost attempt', async () => {
    const { jobId, holder } = await running();
    await database.jobs.reportProgress(jobId, 1, { percent: 40, message: null });
    expect(await database.jobs.claim(holder.again)).toMatchObject({ kind: 'claimed', job: { progress: null } });
  });

  it('fails a job whose last attempt was lost, keeping the attempt and its start', async () => {
    const { jobId, holder } = await running({ maxAttempts: 2 });
    await database.jobs.claim(holder.again);
    const before = await read(jobId);
    const claim = await database.jobs.claim(holder.again);
    const job = await read(jobId);
    expect(claim).toEqual({ kind: 'ended', job });
    expect(job).toMatchObject({ status: 'failed', attempt: 2, version: 4, error: { code: 'worker-lost', attempt: 2 } });
    expect([job.errors, job.startedAt]).toEqual([before.errors, before.startedAt]);
    expect(job.finishedAt).not.toBeNull();
    expect(await database.jobs.claim(holder.again)).toEqual({ kind: 'refused', job });
  });

  it('knows rings and jobs in capital letters', async () => {
    const jobId = await create();
    const shout = ring(jobId.toUpperCase(), randomUUID().toUpperCase());
    expect(await database.jobs.claim(shout.first)).toMatchObject({ kind: 'claimed', job: { id: jobId, attempt: 1 } });
    expect(await database.jobs.claim(shout.first)).toMatchObject({ kind: 'held', job: { id: jobId } });
    expect(await database.jobs.claim(shout.again)).toMatchObject({ kind: 'claimed', job: { attempt: 2 } });
  });
});

describe('claimJob in one batch', () => {
  it('gives a queued job to exactly one of two rings', async () => {
    const jobId = await create();
    const claims = await claimAll([ring(jobId).first, ring(jobId).first]);
    const job = await read(jobId);
    expect(job).toMatchObject({ status: 'running', attempt: 1 });
    expect(claims.map(({ kind }) => kind).sort()).toEqual(['claimed', 'refused']);
    expect(claims.map((claim) => claim.job)).toEqual([job, job]);
  });

  it.each([
    ['first', ['claimed', 'refused']],
    ['last', ['refused', 'claimed']],
  ])('gives a running job to its own redelivered ring, put %s, not to another', async (place, kinds) => {
    const { holder, stranger } = await running();
    const deliveries = [holder.again, stranger.again];
    const claims = await claimAll(place === 'first' ? deliveries : deliveries.reverse());
    expect(claims.map(({ kind }) => kind)).toEqual(kinds);
    expect(claims).toContainEqual(expect.objectContaining({ kind: 'claimed', takeover: true }));
  });

  it('gives a job to one delivery alone where the same ring came twice: the last, whose forerunner is lost', async () => {
    const { holder } = await running();
    expect(await claimAll([holder.again, holder.again])).toMatchObject([
      { kind: 'held', job: { attempt: 2 } },
      { kind: 'claimed', takeover: true, job: { attempt: 2 } },
    ]);
  });

  it('begins a job that waits while another, which is taken over, has to wait for its row', async () => {
    const [waiting, { jobId, holder }] = [await create(), await running()];
    const client = await sql.connect();
    await client.query('begin');
    await client.query('select from jobs where id = $1 for update', [jobId]);
    const takeover = database.jobs.claim(holder.again);
    expect(await database.jobs.claim(ring(waiting).first)).toMatchObject({ kind: 'claimed', job: { id: waiting } });
    await client.query('rollback');
    client.release();
    expect(await takeover).toMatchObject({ kind: 'claimed', takeover: true, job: { id: jobId } });
  });

  it('keeps jobs apart whose rings have one id', async () => {
    const ringId = randomUUID();
    const jobIds = [await create(), await create()];
    const claims = await claimAll(jobIds.map((jobId) => ring(jobId, ringId).first));
    expect(claims.map((claim) => [claim.kind, claim.job?.id])).toEqual(jobIds.map((jobId) => ['claimed', jobId]));
  });

  it('answers each delivery for itself', async () => {
    const [queued, scheduled] = [await create(), await create({ delayMs: 60_000 })];
    const [held, last, lost] = [await running(), await running({ maxAttempts: 1 }), await running()];
    const claims = await claimAll([
      ring(randomUUID()).first,
      held.holder.first,
      last.holder.again,
      ring(queued).first,
      lost.holder.again,
      ring(scheduled).first,
    ]);
    expect(claims.map((claim) => [claim.kind, claim.job?.id, claim.job?.status])).toEqual([
      ['refused', undefined, undefined],
      ['held', held.jobId, 'running'],
      ['ended', last.jobId, 'failed'],
      ['claimed', queued, 'running'],
      ['claimed', lost.jobId, 'running'],
      ['refused', scheduled, 'scheduled'],
    ]);
  });
});

/** What is plain, and then what that has left. */
async function claimPlainFirst(pool: pg.Pool, deliveries: Delivery[]): Promise<(Claim | null)[]> {
  const claims = await claimWaitingJobs(pool, deliveries);
  const left = deliveries.filter((_delivery, index) => !claims[index]);
  return [...claims, ...(await claimJobs(pool, left))];
}

describe('a claim from many processes', () => {
  it('gives one job to exactly one of fifty', async () => {
    const jobId = await create();
    const processes = Array.from({ length: 5 }, () => openDatabase({ url }));
    try {
      const claims = await Promise.all(
        Array.from({ length: 50 }, (_, index) => processes[index % 5]?.jobs.claim(ring(jobId).first)),
      );
      const winners = claims.filter((claim) => claim?.kind === 'claimed');
      expect(winners).toMatchObject([{ job: { id: jobId, attempt: 1 } }]);
      expect(claims.filter((claim) => claim?.kind === 'refused')).toHaveLength(49);
      expect(await read(jobId)).toEqual(winners[0]?.job);
    } finally {
      await Promise.all(processes.map((each) => each.close()));
    }
  });

  it.each([
    ['plain first', claimPlainFirst],
    ['general', claimJobs],
  ])(
    'never waits in a circle with another worker (%s), or with the relay that confirms the same rings',
    async (_which, claim) => {
      for (let round = 0; round < 10; round += 1) {
        const jobs = await Promise.all(Array.from({ length: 100 }, () => create({ delayMs: 60_000 })));
        await sql.query(`update jobs set due_at = now() where id = any($1::uuid[])`, [jobs]);
        const { rows } = await sql.query('select id from outbox where job_id = any($1::uuid[]) order by random()', [
          jobs,
        ]);
        const backwards = [...jobs].reverse();
        const [one, other] = await Promise.all([
          claim(
            sql,
            jobs.map((jobId) => ring(jobId).first),
          ),
          claim(
            sql,
            backwards.map((jobId) => ring(jobId).first),
          ),
          confirmRings(
            sql,
            rows.map(({ id }) => id),
          ),
        ]);
        const claims = [...one, ...other].filter((each) => each?.kind === 'claimed');
        const claimed = claims.map((each) => each?.job?.id);
        expect(claimed.sort()).toEqual([...jobs].sort());
      }
    },
  );
});
