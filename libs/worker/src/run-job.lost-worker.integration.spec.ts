import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import type { Delivery } from '@offload/database';
import { world, withJobs, worker, queuedJob, delivery, statuses } from './spec-run-job.ts';

describe('a lost worker', () => {
  it('is replaced on redelivery, and its late result is refused', async () => {
    const job = await queuedJob();
    const first = delivery(job);
    let finishFirst: () => void = () => undefined;
    const firstRuns = new Promise<void>((started) => {
      world.handler = () =>
        new Promise((resolve) => {
          finishFirst = () => resolve('of the first');
          started();
        });
    });
    const zombie = worker().run(first.message); // frozen, say: it does not see that its channel is gone
    await firstRuns;

    world.handler = async () => 'of the second';
    const again = delivery(job, { dispatchId: first.dispatchId, redelivered: true });
    expect(await worker().run(again.message)).toBe('ack');
    finishFirst();
    expect(await zombie).toBe('requeue'); // never ack what was fenced: it might be the last dispatch message
    expect(await world.database.jobs.get(job.id)).toMatchObject({
      status: 'succeeded',
      result: 'of the second',
      attempt: 2,
      errors: [{ code: 'worker-lost', attempt: 1 }],
    });
    expect(statuses().filter((event) => event === 'job.succeeded')).toHaveLength(1);
  });

  it('that claims late, after its channel was lost and another worker has the job, leaves the job alone', async () => {
    const job = await queuedJob({ maxAttempts: 1 });
    const dispatchId = randomUUID();
    let claimLate: () => void = () => undefined;
    const late = new Promise<void>((resolve) => (claimLate = resolve));
    const slow = withJobs({ claim: (claim: Delivery) => late.then(() => world.database.jobs.claim(claim)) });
    const first = delivery(job, { dispatchId, redelivered: true });
    const firstRun = worker(slow).run(first.message);
    first.lost.abort(new Error('channel lost'));

    let finish: () => void = () => undefined;
    const secondRuns = new Promise<void>((started) => {
      world.handler = () =>
        new Promise((resolve) => {
          finish = () => resolve('of the second');
          started();
        });
    });
    const secondRun = worker().run(delivery(job, { dispatchId, redelivered: true }).message);
    await secondRuns;
    claimLate();
    expect(await firstRun).toBe('later');
    finish();
    expect(await secondRun).toBe('ack');
    expect(await world.database.jobs.get(job.id)).toMatchObject({
      status: 'succeeded',
      result: 'of the second',
      attempt: 1,
    });
  });

  it('whose job has no attempts left fails it as worker-lost', async () => {
    const job = await queuedJob({ maxAttempts: 1 });
    const { dispatchId } = delivery(job);
    await world.database.jobs.claim({
      jobId: job.id,
      dispatchId,
      redelivered: false,
      deliveryCount: 0,
      claimId: randomUUID(),
      holder: 'killed',
    }); // and then it was killed
    expect(await worker().run(delivery(job, { dispatchId, redelivered: true }).message)).toBe('ack');
    expect(await world.database.jobs.get(job.id)).toMatchObject({
      status: 'failed',
      error: { code: 'worker-lost' },
      attempt: 1,
    });
    expect(statuses()).toEqual(['job.failed']);
  });

  it('that only lost its channel aborts the handler and gives the job back unused', async () => {
    const job = await queuedJob({ maxAttempts: 1 });
    const { lost, message } = delivery(job);
    world.handler = (_payload, { signal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason));
        lost.abort(new Error('channel lost'));
      });
    await worker().run(message);
    expect(await world.database.jobs.get(job.id)).toMatchObject({
      status: 'queued',
      attempt: 1,
      maxAttempts: 2,
      errors: [],
    });
  });
});
