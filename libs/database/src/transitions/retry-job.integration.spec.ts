import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import type { NewJob } from './create-jobs.ts';
import { useJobs } from './spec-jobs.ts';

const jobs = useJobs();
const errorOf = (attempt: number) => ({ code: 'permanent', message: 'no luck', attempt });

/** A job whose first attempt has failed for good. */
async function failed(more: Partial<NewJob> = {}) {
  const { id, dispatchId, settle } = await jobs.running(more);
  await settle({ status: 'failed', error: errorOf(1) });
  return { id, dispatchId, settle };
}

async function cancelled(more: Partial<NewJob> = {}): Promise<string> {
  const id = await jobs.dispatched(more);
  await jobs.database.jobs.cancel(id);
  return id;
}

describe('retryJob', () => {
  it('queues a failed job again, with its error among the earlier ones', async () => {
    const { id } = await failed();
    await jobs.query(`update jobs set created_at = now() - interval '1 hour', due_at = now() - interval '1 hour'`);
    const before = await jobs.read(id);
    const retry = await jobs.database.jobs.retry(id);
    const job = await jobs.read(id);
    expect(retry).toMatchObject({ kind: 'queued', job });
    expect(job).toEqual({
      ...before,
      ...{ status: 'queued', error: null, errors: [before.error], progress: null, version: before.version + 1 },
      ...{ dueAt: job.dueAt, startedAt: null, finishedAt: null, durationMs: null },
    });
    expect(Date.parse(job.dueAt)).toBeGreaterThan(Date.parse(before.dueAt));
  });

  it('queues a cancelled job again, which is not to be cancelled any more', async () => {
    const { id, settle } = await jobs.running();
    await jobs.database.jobs.cancel(id);
    await settle({ status: 'failed', error: errorOf(1) });
    const { status, errors } = await jobs.read(id);
    expect(status).toBe('cancelled');
    await jobs.database.jobs.retry(id);
    expect(await jobs.read(id)).toMatchObject({ status: 'queued', error: null, errors });

    await jobs.claim(id);
    const outcome = { status: 'scheduled', error: errorOf(2), delayMs: 0 } as const;
    expect(await jobs.database.jobs.settle({ jobId: id, attempt: 2, outcome })).toMatchObject({ status: 'scheduled' });
  });

  it('clears the progress that the attempt before had made', async () => {
    const { id, settle } = await jobs.running();
    await jobs.database.jobs.reportProgress(id, 1, { percent: 40, message: null });
    await settle({ status: 'failed', error: errorOf(1) });
    await jobs.database.jobs.retry(id);
    expect((await jobs.read(id)).progress).toBeNull();
  });

  it('allows one more attempt than there have been, and takes none away', async () => {
    const [last, one] = [await failed({ maxAttempts: 1 }), await failed({ maxAttempts: 3 })];
    const never = await cancelled({ maxAttempts: 1 });
    for (const id of [last.id, one.id, never]) await jobs.database.jobs.retry(id);
    expect(await jobs.read(last.id)).toMatchObject({ attempt: 1, maxAttempts: 2 });
    expect(await jobs.read(one.id)).toMatchObject({ attempt: 1, maxAttempts: 3 });
    expect(await jobs.read(never)).toMatchObject({ attempt: 0, maxAttempts: 1 });
    expect(await jobs.claim(last.id)).toMatchObject({ kind: 'claimed', job: { attempt: 2 }, takeover: false });
  });

  it('has a pending dispatch message that its caller is told of, and may send first', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const { id } = await failed({ priority: 7, queue: 'mail', traceparent });
    const retry = await jobs.database.jobs.retry(id);
    const [pending] = await jobs.query<{ id: string; grace: number }>(
      `select outbox.id, extract(epoch from outbox.due_at - jobs.due_at)::float8 as grace
       from outbox join jobs on jobs.id = job_id where job_id = $1`,
      [id],
    );
    expect(retry).toMatchObject({
      dispatch: { outboxId: pending?.id, jobId: id, type: 'demo.sleep', queue: 'mail', priority: 7, traceparent },
    });
    expect(pending?.grace).toBe(2);
    await jobs.database.outbox.confirm(pending?.id as string);
    expect(await jobs.pending(id)).toBe(0);
  });

  it.each(['queued', 'scheduled', 'running', 'succeeded'])('refuses a job that is %s', async (status) => {
    const { id, settle } =
      status === 'queued' || status === 'scheduled'
        ? { ...(await jobs.create({ delayMs: status === 'scheduled' ? 60_000 : 0 })), settle: null }
        : await jobs.running();
    if (status === 'succeeded') await settle?.({ status: 'succeeded', result: 1 });
    const before = await jobs.read(id);
    expect(before.status).toBe(status);
    expect(await jobs.database.jobs.retry(id)).toEqual({
      kind: 'refused',
      job: { ...before, payload: null, result: null, errors: [] },
    });
    expect(await jobs.read(id)).toEqual(before);
  });

  it('knows of no job that is not there', async () => {
    expect(await jobs.database.jobs.retry(randomUUID())).toBeNull();
  });

  it('lets one win of many that come at once', async () => {
    const { id } = await failed({ maxAttempts: 1 });
    const retries = await Promise.all(Array.from({ length: 10 }, () => jobs.database.jobs.retry(id)));
    const kinds = retries.map((retry) => retry?.kind);
    expect(kinds.filter((kind) => kind === 'queued')).toHaveLength(1);
    expect(kinds.filter((kind) => kind === 'refused')).toHaveLength(9);
    expect(await jobs.pending(id)).toBe(1);
    expect(await jobs.read(id)).toMatchObject({ maxAttempts: 2, errors: [{ attempt: 1 }] });
  });

  it('says so when another job with its dedupe key is not finished, and changes nothing', async () => {
    const { id } = await failed({ dedupeKey: 'invoice-42' });
    const before = await jobs.read(id);
    const twin = await jobs.running({ dedupeKey: 'invoice-42' });
    expect(await jobs.database.jobs.retry(id)).toEqual({ kind: 'duplicate' });
    expect(await jobs.read(id)).toEqual(before);
    expect(await jobs.pending(id)).toBe(0);

    await twin.settle({ status: 'failed', error: errorOf(1) });
    expect(await jobs.database.jobs.retry(id)).toMatchObject({ kind: 'queued' });
    expect(await jobs.database.jobs.retry(twin.id)).toEqual({ kind: 'duplicate' });
  });

  it('lets one of two jobs with the same dedupe key be queued when both are retried at once', async () => {
    for (let round = 0; round < 10; round += 1) {
      const dedupeKey = `both-${round}`;
      const ids = [(await failed({ dedupeKey })).id, (await failed({ dedupeKey })).id];
      const kinds = (await Promise.all(ids.map(jobs.database.jobs.retry))).map((retry) => retry?.kind);
      expect(kinds.sort()).toEqual(['duplicate', 'queued']);
    }
  });
});

describe('the attempt before a retry', () => {
  it('can write nothing any more, neither before the next one is claimed nor after', async () => {
    const { id, settle } = await failed();
    await jobs.database.jobs.retry(id);
    const progress = { percent: 50, message: null };
    const late = async () => [
      await settle({ status: 'succeeded', result: 'late' }),
      await settle({ status: 'scheduled', error: null, delayMs: 0 }),
      await jobs.database.jobs.reportProgress(id, 1, progress),
      await jobs.database.jobs.hold([{ jobId: id, attempt: 1 }]),
    ];
    const queued = await jobs.read(id);
    expect(await late()).toEqual([null, null, null, []]);
    expect(await jobs.read(id)).toEqual(queued);
    await jobs.claim(id);
    const running = await jobs.read(id);
    expect(await late()).toEqual([null, null, null, []]);
    expect(await jobs.read(id)).toEqual(running);
  });

  it('may start the next one with its dispatch message, where that comes back first; the new dispatch message is refused then', async () => {
    const { id, dispatchId } = await failed({ maxAttempts: 1 });
    await jobs.database.jobs.retry(id);
    const claim = await jobs.claim(id, { dispatchId, count: 1 });
    expect(claim).toMatchObject({ kind: 'claimed', takeover: false, job: { attempt: 2, maxAttempts: 2 } });
    expect(await jobs.claim(id)).toMatchObject({ kind: 'refused' });
  });

  it('is not taken for the next one when its dispatch message comes back late', async () => {
    const { id, dispatchId } = await failed();
    await jobs.database.jobs.retry(id);
    await jobs.claim(id);
    expect(await jobs.claim(id, { dispatchId, count: 1 })).toMatchObject({ kind: 'refused', job: { attempt: 2 } });
  });

  it('leaves neither dispatch message, claim nor holder behind', async () => {
    const { id } = await failed();
    await jobs.database.jobs.retry(id);
    const columns = 'dispatch_id, delivery_count, claim_id, holder, held_at, cancel_requested';
    expect(await jobs.query(`select ${columns} from jobs where id = $1`, [id])).toEqual([
      { dispatch_id: null, delivery_count: null, claim_id: null, holder: null, held_at: null, cancel_requested: false },
    ]);
  });
});
