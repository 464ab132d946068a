import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { eventually } from '@offload/spec-kit';
import { RetryAfterError } from './handler.ts';
import { definition, world, worker, queuedJob, delivery, statuses } from './spec-run-job.ts';

describe('a delivery', () => {
  it('is claimed, run, settled, announced and acknowledged, in this order', async () => {
    const job = await queuedJob();
    world.handler = async (payload, { jobId, attempt, idempotencyKey }) => ({
      payload,
      jobId,
      attempt,
      idempotencyKey,
    });
    expect(await worker().run(delivery(job).message)).toBe('ack');
    const stored = await world.database.jobs.get(job.id);
    expect(stored).toMatchObject({
      status: 'succeeded',
      result: { payload: { n: 1 }, jobId: job.id, attempt: 1, idempotencyKey: `offload-${job.id}` },
      attempt: 1,
      version: 3,
    });
    expect(statuses()).toEqual(['job.running', 'job.succeeded']);
    expect(world.published.map(({ job: { version } }) => version)).toEqual([2, 3]);
  });

  it('publishes the progress of its handler with growing versions', async () => {
    const job = await queuedJob();
    world.handler = async (_payload, { progress }) => void progress(40, '4 of 10 s');
    await worker().run(delivery(job).message);
    expect(statuses()).toEqual(['job.running', 'job.progress', 'job.succeeded']);
    expect(world.published[1]?.job).toMatchObject({
      progress: { percent: 40, message: '4 of 10 s' },
      payload: undefined,
    });
    expect(world.published[2]?.job).toMatchObject({
      progress: { percent: 100, message: '4 of 10 s' },
      payload: { n: 1 },
    });
    expect(world.published.map(({ job: { version } }) => version)).toEqual([2, 3, 4]);
  });

  it('publishes few of many calls, always the last, and none with the payload', async () => {
    const job = await queuedJob({ payload: { n: 'x'.repeat(150_000) } });
    world.handler = async (_payload, { progress }) => {
      for (let call = 1; call <= 3_000; call += 1) progress(call / 30, `${call} of 3000`);
    };
    await worker().run(delivery(job).message);
    const told = world.published.filter(({ event }) => event === 'job.progress');
    expect(told.map(({ job: { progress } }) => progress?.message)).toEqual(['1 of 3000', '3000 of 3000']);
    expect(JSON.stringify(told).length).toBeLessThan(2_000);
  });

  it('that is a duplicate of a running or finished job is acknowledged and changes nothing', async () => {
    const job = await queuedJob();
    let finish: () => void = () => undefined;
    const running = new Promise<void>((started) => {
      world.handler = () =>
        new Promise((resolve) => {
          finish = () => resolve('first');
          started();
        });
    });
    const first = worker().run(delivery(job).message);
    await running;
    expect(await worker().run(delivery(job).message)).toBe('ack');
    expect(await worker().run(delivery(job, { redelivered: true }).message)).toBe('ack');
    finish();
    await first;
    expect(await worker().run(delivery(job).message)).toBe('ack');
    expect(await world.database.jobs.get(job.id)).toMatchObject({ status: 'succeeded', result: 'first', attempt: 1 });
    expect(statuses()).toEqual(['job.running', 'job.succeeded']);
  });

  it('of an unknown job is acknowledged', async () => {
    expect(await worker().run(delivery({ id: randomUUID(), type: definition.type }).message)).toBe('ack');
    expect(world.published).toEqual([]);
  });

  it('of a type this worker does not know leaves the job to another at once, without using up an attempt', async () => {
    const job = await queuedJob({ type: 'spec.newer', maxAttempts: 1 });
    expect(await worker().run(delivery(job).message)).toBe('ack');
    const left = await world.database.jobs.get(job.id);
    expect(left).toMatchObject({ status: 'scheduled', maxAttempts: 2, errors: [] });
    expect(Date.parse(left?.dueAt ?? '') - Date.parse(left?.startedAt ?? '')).toBeLessThan(2_000);
  });

  it('of a newer version of its type is left to another likewise', async () => {
    const job = await queuedJob({ typeVersion: 2, maxAttempts: 1 });
    expect(await worker().run(delivery(job).message)).toBe('ack');
    expect(await world.database.jobs.get(job.id)).toMatchObject({ status: 'scheduled', maxAttempts: 2, errors: [] });
  });

  it('that comes again after its job ended announces the end again: the worker before may not have', async () => {
    const job = await queuedJob();
    const { dispatchId, message } = delivery(job);
    await worker().run(message);
    world.published = [];
    expect(await worker().run(delivery(job, { dispatchId, redelivered: true }).message)).toBe('ack');
    expect(statuses()).toEqual(['job.succeeded']);
  });
});

describe('a failing handler', () => {
  it('is retried with every error kept until the attempts are used up', async () => {
    const job = await queuedJob({ maxAttempts: 2, backoff: { baseMs: 0, factor: 1, maxMs: 0 } });
    world.handler = async (_payload, { attempt }) => {
      throw new Error(`no luck ${attempt}`);
    };
    expect(await worker().run(delivery(job).message)).toBe('ack');
    expect(await world.database.jobs.get(job.id)).toMatchObject({ status: 'scheduled', error: null, attempt: 1 });
    expect(await world.database.outbox.msUntilNext()).not.toBeNull(); // the retry's dispatch message is pending

    await eventually(async () => {
      await worker().run(delivery(job).message);
      expect((await world.database.jobs.get(job.id))?.status).toBe('failed');
    });
    expect(await world.database.jobs.get(job.id)).toMatchObject({
      error: { code: 'handler-error', message: 'no luck 2', attempt: 2 },
      errors: [{ message: 'no luck 1', attempt: 1 }],
    });
  });

  it('is logged with its stack and cause: a warning while it is tried again, then an error', async () => {
    const job = await queuedJob({ maxAttempts: 2, backoff: { baseMs: 0, factor: 1, maxMs: 0 } });
    world.handler = async () => {
      throw new Error('no luck', { cause: new Error('a black cat') });
    };
    const stack = expect.stringMatching(/^Error: no luck\n +at [^]*\nCaused by: Error: a black cat\n +at /);
    const error = { code: 'handler-error', message: 'no luck', stack };
    await worker().run(delivery(job).message);
    expect(world.logged.at(-1)).toEqual(['warn', expect.objectContaining({ error: { ...error, attempt: 1 } })]);
    await eventually(async () => {
      await worker().run(delivery(job).message);
      expect((await world.database.jobs.get(job.id))?.status).toBe('failed');
    });
    const levels = world.logged.filter(([level]) => level !== 'info').map(([level]) => level);
    expect(levels).toEqual(['warn', 'error']);
    const ended = await world.database.jobs.get(job.id);
    expect(ended?.error).toMatchObject({ ...error, attempt: 2 });
    expect(ended?.errors).toEqual([expect.objectContaining({ ...error, attempt: 1 })]);
  });

  it('is not run again before its retry is due, even if a dispatch message arrives', async () => {
    const job = await queuedJob();
    world.handler = async () => {
      throw new RetryAfterError('later', 60_000);
    };
    await worker().run(delivery(job).message);
    const scheduled = await world.database.jobs.get(job.id);
    expect(await worker().run(delivery(job).message)).toBe('ack');
    expect(await world.database.jobs.get(job.id)).toEqual(scheduled);
  });
});
