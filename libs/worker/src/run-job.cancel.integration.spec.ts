import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { DatabaseUnavailableError, type HeldJob } from '@offload/database';
import { world, withJobs, worker, queuedJob, delivery, statuses } from './spec-run-job.ts';

describe('a job that is cancelled', () => {
  /** A worker whose handler runs and waits for its signal. */
  async function runningJob() {
    const job = await queuedJob();
    const runner = worker();
    const { message, lost } = delivery(job);
    let verdict: Promise<unknown> | undefined;
    await new Promise<void>((started) => {
      world.handler = (_payload, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason));
          started();
        });
      verdict = runner.run(message);
    });
    return { job, runner, verdict, lost };
  }

  it('ends as such, is announced and acknowledged', async () => {
    const { job, runner, verdict } = await runningJob();
    await world.database.jobs.cancel(job.id);
    await runner.told({ command: 'cancel', jobId: job.id });
    expect(await verdict).toBe('ack');
    expect(await world.database.jobs.get(job.id)).toMatchObject({
      status: 'cancelled',
      attempt: 1,
      error: null,
      result: null,
    });
    expect(statuses()).toEqual(['job.running', 'job.cancelled']);
  });

  it('leaves the other jobs of its worker alone, and other workers too', async () => {
    const { job, runner, verdict } = await runningJob();
    await runner.told({ command: 'cancel', jobId: randomUUID() });
    await worker().told({ command: 'cancel', jobId: job.id });
    runner.letGo(); // it ran until here
    expect(await verdict).toBe('requeue');
    expect(await world.database.jobs.get(job.id)).toMatchObject({ status: 'queued' });
  });

  it('is found at the next liveness check when its worker missed the command', async () => {
    const { job, runner, verdict } = await runningJob();
    await world.database.jobs.cancel(job.id);
    await runner.told({ command: 'liveness-check' });
    expect(await verdict).toBe('ack');
    expect(await world.database.jobs.get(job.id)).toMatchObject({ status: 'cancelled' });
  });

  it('is acknowledged too when its worker gave it back without knowing', async () => {
    const { job, lost, verdict } = await runningJob();
    await world.database.jobs.cancel(job.id);
    lost.abort(new Error('channel lost'));
    expect(await verdict).toBe('ack');
    expect(await world.database.jobs.get(job.id)).toMatchObject({ status: 'cancelled' });
  });

  it('while its claim is on the way is not begun', async () => {
    const job = await queuedJob();
    let ran = false;
    world.handler = async () => void (ran = true);
    const runner = worker(
      withJobs({
        async claim(claim) {
          const claimed = await world.database.jobs.claim(claim);
          await world.database.jobs.cancel(job.id);
          await runner.told({ command: 'cancel', jobId: job.id });
          return claimed;
        },
      }),
    );
    expect(await runner.run(delivery(job).message)).toBe('ack');
    expect(ran).toBe(false);
    expect(await world.database.jobs.get(job.id)).toMatchObject({ status: 'cancelled', attempt: 1 });
  });
});

describe('a liveness check', () => {
  it('is answered for the jobs that run here, and not for those that are done', async () => {
    const held: HeldJob[][] = [];
    const listening = withJobs({
      hold: async (jobs: HeldJob[]) => {
        held.push(jobs);
        return [];
      },
    });
    const runner = worker(listening);
    const job = await queuedJob();
    world.handler = () => runner.told({ command: 'liveness-check' });
    await runner.run(delivery(job).message);
    await runner.told({ command: 'liveness-check' });
    expect(held).toEqual([[{ jobId: job.id, attempt: 1 }]]);
  });

  it('that can not be answered fails no job', async () => {
    const away = withJobs({ hold: () => Promise.reject(new DatabaseUnavailableError()) });
    const runner = worker(away);
    const job = await queuedJob();
    world.handler = () => runner.told({ command: 'liveness-check' });
    expect(await runner.run(delivery(job).message)).toBe('ack');
    expect(await world.database.jobs.get(job.id)).toMatchObject({ status: 'succeeded' });
  });
});

describe('stopping', () => {
  it('gives a dispatch message back at once that could not be claimed, the database being away', async () => {
    const job = await queuedJob();
    const runner = worker(
      withJobs({
        async claim() {
          runner.stop();
          throw new DatabaseUnavailableError();
        },
      }),
    );
    expect(await runner.run(delivery(job).message)).toBe('requeue');
    expect(await world.database.jobs.get(job.id)).toMatchObject({ status: 'queued', attempt: 0 });
  });

  it('gives back the jobs that are let go, without using up their attempt', async () => {
    const job = await queuedJob({ maxAttempts: 1 });
    const runner = worker();
    const running = new Promise<void>((started) => {
      world.handler = (_payload, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason));
          started();
        });
    });
    const verdict = runner.run(delivery(job).message);
    await running;
    runner.letGo();
    expect(await verdict).toBe('requeue');
    expect(await world.database.jobs.get(job.id)).toMatchObject({
      status: 'queued',
      maxAttempts: 2,
      error: null,
      errors: [],
    });
  });
});
