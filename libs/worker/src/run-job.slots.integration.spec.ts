import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Database, HeldJob } from '@offload/database';
import type { Job } from '@offload/jobs';
import { eventually } from '@offload/spec-kit';
import { createSlots } from './slots.ts';
import { gatedThreads } from './spec-gate.ts';
import { world, withJobs, worker, queuedJob, delivery } from './spec-run-job.ts';

describe('a job whose handler may run only so many times at once', () => {
  const queuedJobs = (count: number) => Promise.all(Array.from({ length: count }, () => queuedJob({ maxAttempts: 1 })));
  const read = (jobs: Job[]) => Promise.all(jobs.map(async ({ id }) => (await world.database.jobs.get(id)) as Job));

  /** One job that runs until it is told to end, and so has the only slot. */
  async function busyWorker(onDatabase?: Database) {
    world.slots = createSlots(1);
    const runner = worker(onDatabase);
    let end: () => void = () => undefined;
    const [job] = (await queuedJobs(1)) as [Job];
    let verdict: Promise<unknown> = Promise.resolve();
    await new Promise<void>((started) => {
      world.handler = () =>
        new Promise((resolve) => {
          end = () => resolve('done');
          started();
        });
      verdict = runner.run(delivery(job).message);
    });
    world.handler = async () => 'done';
    return { ...runner, end: () => (end(), verdict) };
  }

  it('is claimed only when it can run, in as many as there are slots', async () => {
    world.slots = createSlots(2);
    const jobs = await queuedJobs(8);
    const unended = new Set<string>(); // from the claim to the end of the run: outcomes may have to wait
    let most = 0;
    world.handler = async (_payload, { jobId }) => void unended.delete(jobId);
    const runner = worker(
      withJobs({
        claim(claim) {
          unended.add(claim.jobId);
          most = Math.max(most, unended.size);
          return world.database.jobs.claim(claim);
        },
      }),
    );
    await Promise.all(
      jobs.map(async (job) => {
        for (let redelivered = false; ; redelivered = true) {
          if ((await runner.run(delivery(job, { redelivered }).message)) !== 'requeue') return;
        }
      }),
    );
    expect(most).toBe(2);
    for (const job of await read(jobs)) expect(job).toMatchObject({ status: 'succeeded', attempt: 1, errors: [] });
  });

  it('goes back unclaimed when no slot is free for a while, since another worker may have one', async () => {
    const { run, end } = await busyWorker();
    const job = await queuedJob();
    expect(await run(delivery(job).message)).toBe('requeue');
    expect(await world.database.jobs.get(job.id)).toEqual(job);
    await end();
    expect(await run(delivery(job, { redelivered: true }).message)).toBe('ack');
  });

  it('goes back at once when the worker stops, or its delivery is lost', async () => {
    const { run, stop, end } = await busyWorker();
    const jobs = await queuedJobs(2);
    const [lost, kept] = jobs.map((job) => delivery(job)) as [ReturnType<typeof delivery>, ReturnType<typeof delivery>];
    const verdicts = [run(lost.message), run(kept.message)];
    lost.lost.abort(new Error('channel lost'));
    expect(await verdicts[0]).toBe('requeue');
    stop();
    expect(await verdicts[1]).toBe('requeue');
    expect(await read(jobs)).toEqual(jobs);
    await end();
  });

  it('takes no slot when it was cancelled while it waited', async () => {
    const { run, end } = await busyWorker();
    const jobs = await queuedJobs(2);
    const verdicts = jobs.map((job) => run({ ...delivery(job).message, deliveryCount: 9 })); // waits for minutes
    await world.database.jobs.cancel((jobs[0] as Job).id);
    await end();
    expect(await Promise.all(verdicts)).toEqual(['ack', 'ack']);
    expect((await read(jobs)).map(({ status }) => status)).toEqual(['cancelled', 'succeeded']);
  });

  it('keeps no job of another type waiting', async () => {
    const { run, end } = await busyWorker();
    const other = await queuedJob({ type: 'spec.newer' });
    expect(await run(delivery(other).message)).toBe('ack');
    expect(await world.database.jobs.get(other.id)).toMatchObject({ status: 'scheduled' }); // claimed: it is unknown here
    await end();
  });

  it('is spoken for at a liveness check while it waits: its dispatch message is not lost', async () => {
    const held: HeldJob[][] = [];
    const { run, told, end } = await busyWorker(withJobs({ hold: async (jobs) => (held.push(jobs), []) }));
    const job = await queuedJob();
    const verdict = run({ ...delivery(job).message, deliveryCount: 9 });
    await told({ command: 'liveness-check' });
    expect(held).toEqual([[expect.objectContaining({ attempt: 1 }), { jobId: job.id, attempt: null }]]);
    await end();
    expect(await verdict).toBe('ack');
  });

  describe('in threads that are started on demand', () => {
    let threads: ReturnType<typeof gatedThreads>;
    beforeEach(() => {
      threads = gatedThreads();
      world.slots = createSlots(2, threads.hold);
    });
    afterEach(() => threads.close());

    it('is queued while its thread starts: its time has not begun', async () => {
      world.handler = (_payload, { signal }) => threads.run('this', signal);
      const jobs = await queuedJobs(16);
      const runner = worker();
      // Each waits for minutes.
      const verdicts = jobs.map((job) => runner.run({ ...delivery(job).message, deliveryCount: 9 }));
      await eventually(() => expect(threads.come()).toBe(2));
      expect(await read(jobs)).toEqual(jobs);
      threads.open();
      expect(new Set(await Promise.all(verdicts))).toEqual(new Set(['ack']));
      for (const job of await read(jobs)) {
        expect(job).toMatchObject({ status: 'succeeded', attempt: 1, result: 'answer to this' });
      }
      expect(threads.come()).toBe(2);
    });

    it.each([
      ['timed out', 'timeout'],
      ['died', 'handler-error'],
    ])('is queued while the thread of one that %s is replaced', async (_title, code) => {
      world.slots = createSlots(1, threads.hold);
      threads.open();
      world.handler = (_payload, { signal }) => {
        threads.shut(); // for the threads that come after the one that runs it
        world.handler = (_next, context) => threads.run('this', context.signal);
        return threads.run(code === 'timeout' ? 'hang' : 'die', signal);
      };
      const first = await queuedJob({ maxAttempts: 1, timeoutMs: code === 'timeout' ? 50 : 60_000 });
      const next = await queuedJob({ maxAttempts: 1 });
      const runner = worker();
      const verdicts = [first, next].map((job) => runner.run({ ...delivery(job).message, deliveryCount: 9 }));
      expect(await verdicts[0]).toBe('ack');
      await eventually(() => expect(threads.come()).toBe(2));
      expect(await read([first, next])).toEqual([
        expect.objectContaining({ status: 'failed', error: expect.objectContaining({ code }) }),
        next,
      ]);
      threads.open();
      expect(await verdicts[1]).toBe('ack');
      expect(await read([next])).toMatchObject([{ status: 'succeeded', attempt: 1, errors: [] }]);
    });

    it('goes back at once when the worker stops while its thread starts', async () => {
      const job = await queuedJob();
      const { run, stop } = worker();
      const verdict = run(delivery(job).message);
      await eventually(() => expect(threads.come()).toBe(1));
      stop();
      expect(await verdict).toBe('requeue');
      expect(await world.database.jobs.get(job.id)).toEqual(job);
    });
  });
});
