import { describe, expect, it } from '@jest/globals';
import { useJobs } from './spec-jobs.ts';

const jobs = useJobs();

describe('a dispatch message the broker has lost', () => {
  it('is counted among the dispatch messages that must be there, and pending again for the oldest jobs', async () => {
    const queue = 'lost';
    const ids = [await jobs.dispatched({ queue }), await jobs.dispatched({ queue }), await jobs.dispatched({ queue })];
    await jobs.create({ queue }); // still has a pending dispatch message
    await jobs.running({ queue });
    const { dispatched, queued, at } = await jobs.database.outbox.countDispatched(queue, null);
    expect({ dispatched, queued }).toEqual({ dispatched: 3, queued: 4 });

    const oldest = await jobs.database.outbox.listDispatched(queue, 2, 0);
    expect(oldest).toEqual(ids.slice(0, 2));
    expect(await jobs.database.outbox.redispatchLost(oldest)).toBe(2);
    expect(await Promise.all(ids.map(jobs.pending))).toEqual([1, 1, 0]);
    expect(await jobs.database.outbox.countDispatched(queue, at + 1)).toMatchObject({
      dispatched: 1,
      queued: 4,
      remaining: 4,
    });
  });

  it('is pending once, however many callers ask at a time', async () => {
    const queue = 'asked-twice';
    const ids = await Promise.all(Array.from({ length: 20 }, () => jobs.dispatched({ queue })));
    const pending = await Promise.all(Array.from({ length: 5 }, () => jobs.database.outbox.redispatchLost(ids)));
    expect(pending.reduce((sum, count) => sum + count)).toBe(20);
    expect(await Promise.all(ids.map(jobs.pending))).toEqual(ids.map(() => 1));
  });

  it('is not looked for while its job is younger than the broker needs', async () => {
    await jobs.dispatched({ queue: 'young' });
    expect(await jobs.database.outbox.listDispatched('young', 1, 60_000)).toEqual([]);
  });

  it('is not looked for while a worker says that it has it, nor is that of a younger job in its place', async () => {
    const queue = 'waits-for-a-slot';
    const ids = [await jobs.dispatched({ queue }), await jobs.dispatched({ queue })];
    await jobs.query(`update jobs set due_at = now() - interval '1 hour' where queue = $1`, [queue]);
    expect(await jobs.database.outbox.listDispatched(queue, 1, 60_000)).toEqual([ids[0]]);
    await jobs.database.jobs.hold([{ jobId: ids[0] as string, attempt: null }]);
    expect(await jobs.database.outbox.listDispatched(queue, 1, 60_000)).toEqual([]);
    expect(await jobs.read(ids[0] as string)).toMatchObject({ status: 'queued', version: 1 });
    await jobs.silence(ids[0] as string, 120_000); // it says so no more
    expect(await jobs.database.outbox.listDispatched(queue, 1, 60_000)).toEqual([ids[0]]);
  });

  it('is not pending for a job that has been claimed since', async () => {
    const { id } = await jobs.running();
    expect(await jobs.database.outbox.redispatchLost([id])).toBe(0);
    expect(await jobs.pending(id)).toBe(0);
  });

  it('is pending again to a scheduled job that was dispatched before its time', async () => {
    const { id, outboxId, job } = await jobs.create({ delayMs: 60_000 });
    await jobs.database.outbox.confirm(outboxId); // the clock had been ahead
    expect(await jobs.pending(id)).toBe(0);
    expect(await jobs.database.outbox.redispatchScheduled(10)).toBe(1);
    const [pending] = await jobs.query<{ due_at: Date }>('select due_at from outbox where job_id = $1', [id]);
    expect(pending?.due_at.toISOString()).toBe(job.dueAt);
    expect(await jobs.database.outbox.redispatchScheduled(10)).toBe(0);
  });
});

describe('a note on why an attempt will be lost', () => {
  const told = 'the event loop of its worker had been blocked for 12 s';

  it('becomes the error of the attempt, for each way to find that it was lost', async () => {
    const [taken, released] = [await jobs.running(), await jobs.running()];
    await jobs.database.jobs.noteLoss(
      [taken, released].map(({ id }) => ({ jobId: id, attempt: 1 })),
      told,
    );
    const claim = await jobs.claim(taken.id, { dispatchId: taken.dispatchId, count: 1 });
    expect(claim).toMatchObject({ takeover: true, job: { errors: [{ code: 'worker-lost', message: told }] } });
    await jobs.silence(released.id, 60_000);
    expect(await jobs.database.jobs.releaseUnheld(30_000, 10)).toMatchObject([{ errors: [{ message: told }] }]);
  });

  it('is taken back by the one who left it, and when the worker answers a liveness check', async () => {
    const [freed, called] = [await jobs.running(), await jobs.running()];
    for (const { id } of [freed, called]) await jobs.database.jobs.noteLoss([{ jobId: id, attempt: 1 }], told);
    await jobs.database.jobs.noteLoss([{ jobId: freed.id, attempt: 1 }], null);
    await jobs.database.jobs.hold([{ jobId: called.id, attempt: 1 }]);
    for (const { id, dispatchId } of [freed, called]) {
      const claim = await jobs.claim(id, { dispatchId, count: 1 });
      expect(claim).toMatchObject({ job: { errors: [{ message: 'the worker that ran this attempt is gone' }] } });
    }
  });

  it('says nothing of another attempt, and is not left on a job that has ended', async () => {
    const { id, dispatchId } = await jobs.running();
    await jobs.database.jobs.noteLoss([{ jobId: id, attempt: 1 }], told);
    await jobs.claim(id, { dispatchId, count: 1 });
    expect(await jobs.claim(id, { dispatchId, count: 2 })).toMatchObject({
      job: { errors: [{ message: told }, { attempt: 2, message: 'the worker that ran this attempt is gone' }] },
    });
    const ended = await jobs.running();
    await ended.settle({ status: 'succeeded', result: 1 });
    await jobs.database.jobs.noteLoss([{ jobId: ended.id, attempt: 1 }], told);
    expect(await jobs.query('select loss_note from jobs where id = $1', [ended.id])).toEqual([{ loss_note: null }]);
  });
});

describe('a holder that was lost together with its dispatch message', () => {
  it('is not lost while it answers liveness checks', async () => {
    const { id } = await jobs.running();
    await jobs.silence(id, 60_000);
    expect(await jobs.database.jobs.hasUnheard(30_000)).toBe(true);
    expect(await jobs.database.jobs.hold([{ jobId: id, attempt: 1 }])).toEqual([]);
    expect(await jobs.database.jobs.hasUnheard(30_000)).toBe(false);
    expect(await jobs.database.jobs.releaseUnheld(30_000, 10)).toEqual([]);
  });

  it('hears at a liveness check that its job is to be cancelled', async () => {
    const [one, other] = [await jobs.running(), await jobs.running()];
    await jobs.database.jobs.cancel(one.id);
    const held = [one, other].map(({ id }) => ({ jobId: id, attempt: 1 }));
    expect(await jobs.database.jobs.hold(held)).toEqual([one.id]);
  });

  it('can not answer for an attempt that is no longer its own', async () => {
    const { id, dispatchId } = await jobs.running();
    await jobs.claim(id, { dispatchId, count: 1 });
    await jobs.silence(id, 60_000);
    await jobs.database.jobs.hold([{ jobId: id, attempt: 1 }]);
    expect((await jobs.database.jobs.releaseUnheld(30_000, 10)).map((job) => job.id)).toEqual([id]);
  });

  it('loses the job, which is dispatched for another attempt', async () => {
    const { id, settle } = await jobs.running();
    await jobs.silence(id, 60_000);
    const released = await jobs.database.jobs.releaseUnheld(30_000, 10);
    const job = await jobs.read(id);
    expect(released).toEqual([job]);
    expect(job).toMatchObject({ status: 'queued', attempt: 1, errors: [{ code: 'worker-lost', attempt: 1 }] });
    expect(await jobs.pending(id)).toBe(1);
    expect(await settle({ status: 'succeeded', result: 'too late' })).toBeNull();
    expect(await jobs.claim(id)).toMatchObject({ kind: 'claimed', job: { attempt: 2 }, takeover: false });
  });

  it('fails the job whose last attempt it was, and cancels one that is to be cancelled', async () => {
    const last = await jobs.running({ maxAttempts: 1 });
    const unwanted = await jobs.running({ maxAttempts: 1 });
    await jobs.database.jobs.cancel(unwanted.id);
    await Promise.all([last, unwanted].map(({ id }) => jobs.silence(id, 60_000)));
    await jobs.database.jobs.releaseUnheld(30_000, 10);
    expect(await jobs.read(last.id)).toMatchObject({ status: 'failed', error: { code: 'worker-lost' }, errors: [] });
    expect(await jobs.read(unwanted.id)).toMatchObject({
      status: 'cancelled',
      error: null,
      errors: [{ code: 'worker-lost' }],
    });
    expect(await Promise.all([last, unwanted].map(({ id }) => jobs.pending(id)))).toEqual([0, 0]);
  });
});
