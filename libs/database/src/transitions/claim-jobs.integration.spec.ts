import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { SerializedJob } from '@offload/jobs';
import { database, sql } from '../spec-database.ts';
import { create, dispatch, running, read, makeDue } from './spec-claim-jobs.ts';

describe('claimJob', () => {
  it('starts the first attempt of a queued job', async () => {
    const jobId = await create();
    const claim = await database.jobs.claim(dispatch(jobId).first);
    const job = await read(jobId);
    expect(claim).toEqual({
      ...{ kind: 'claimed', job, serialized: new SerializedJob(job, '{}'), takeover: false },
      ...{ typeVersion: 1, timeoutMs: 1_234, backoff: { baseMs: 10, factor: 2, maxMs: 100 }, wantsWebhook: false },
    });
    expect(job).toMatchObject({ status: 'running', attempt: 1, version: 2, finishedAt: null, errors: [] });
    expect(Date.parse(job.startedAt as string)).toBeGreaterThanOrEqual(Date.parse(job.createdAt));
  });

  it('starts a scheduled job that is due, for its dispatch message can outrun the relay', async () => {
    const jobId = await create({ delayMs: 60_000 });
    await makeDue(jobId);
    expect(await database.jobs.claim(dispatch(jobId).first)).toMatchObject({ kind: 'claimed', job: { attempt: 1 } });
  });

  it('starts a queued job on a redelivered dispatch message: its holder gave it back', async () => {
    const jobId = await create();
    expect(await database.jobs.claim(dispatch(jobId).again)).toMatchObject({ kind: 'claimed', takeover: false });
  });

  it('refuses a scheduled job that is not due', async () => {
    const jobId = await create({ delayMs: 60_000 });
    const before = await read(jobId);
    for (const delivery of Object.values(dispatch(jobId))) {
      expect(await database.jobs.claim(delivery)).toEqual({ kind: 'refused', job: before });
    }
    expect(await read(jobId)).toEqual(before);
  });

  it.each(['succeeded', 'failed', 'cancelled'])(
    'refuses a job that has %s, even the dispatch message that held it',
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
    expect(await database.jobs.claim(dispatch(randomUUID()).first)).toEqual({ kind: 'refused', job: null });
  });

  it('refuses a running job to another dispatch message, redelivered or not, and to a duplicate of its own', async () => {
    const { jobId, holder, stranger } = await running();
    const before = await read(jobId);
    for (const delivery of [stranger.first, stranger.again]) {
      expect(await database.jobs.claim(delivery)).toEqual({ kind: 'refused', job: before });
    }
    expect(await database.jobs.claim(holder.first)).toEqual({ kind: 'held', job: before });
    expect(await read(jobId)).toEqual(before);
  });

  it('lets the dispatch message that held a running job take it over when it is redelivered', async () => {
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
    const { first } = dispatch(jobId);
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
    const { first, again } = dispatch(jobId);
    await database.jobs.claim(again);
    expect(await database.jobs.claim(first)).toMatchObject({ kind: 'held', job: { attempt: 1 } });
  });

  it('lets no late claim of an earlier delivery take over from a later one', async () => {
    const jobId = await create({ maxAttempts: 1 });
    const { again: earlier, ...rest } = dispatch(jobId);
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

  it('knows dispatch messages and jobs in capital letters', async () => {
    const jobId = await create();
    const shout = dispatch(jobId.toUpperCase(), randomUUID().toUpperCase());
    expect(await database.jobs.claim(shout.first)).toMatchObject({ kind: 'claimed', job: { id: jobId, attempt: 1 } });
    expect(await database.jobs.claim(shout.first)).toMatchObject({ kind: 'held', job: { id: jobId } });
    expect(await database.jobs.claim(shout.again)).toMatchObject({ kind: 'claimed', job: { attempt: 2 } });
  });
});
