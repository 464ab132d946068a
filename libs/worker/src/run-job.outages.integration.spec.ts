import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { type Database, DatabaseUnavailableError, type Outcome } from '@offload/database';
import { BrokerUnavailableError } from '@offload/messaging';
import { world, withJobs, worker, queuedJob, delivery, statuses } from './spec-run-job.ts';

describe('while database or broker are away', () => {
  /** The database as seen over a line that breaks after the named call's first commit. */
  function unheard(call: 'claim' | 'settle'): Database {
    let broken = true;
    const original = world.database.jobs[call] as (argument: unknown) => Promise<unknown>;
    const once = async (argument: unknown): Promise<unknown> => {
      const answer = await original(argument);
      if (!broken) return answer;
      broken = false;
      throw new DatabaseUnavailableError();
    };
    return withJobs({ [call]: once });
  }

  it('a claim whose answer was lost goes on with the same attempt', async () => {
    const job = await queuedJob();
    expect(await worker(unheard('claim')).run(delivery(job).message)).toBe('ack');
    expect(await world.database.jobs.get(job.id)).toMatchObject({ status: 'succeeded', attempt: 1, errors: [] });
  });

  /** The database as it is when it refuses data like these: see `libs/database/src/unavailable.ts`. */
  function refusing(refused: (outcome: Outcome) => boolean): Database {
    const refusal = Object.assign(new Error('violates check constraint "spec"'), { code: '23514', severity: 'ERROR' });
    return withJobs({
      settle: async (settlement) => {
        if (refused(settlement.outcome)) throw refusal;
        return world.database.jobs.settle(settlement);
      },
    });
  }

  it('an outcome that the database refuses fails its job, with the reason', async () => {
    const job = await queuedJob();
    const refusesResults = refusing(({ status }) => status === 'succeeded');
    expect(await worker(refusesResults).run(delivery(job).message)).toBe('ack');
    const message = 'the outcome cannot be stored: violates check constraint "spec"';
    expect(await world.database.jobs.get(job.id)).toMatchObject({
      status: 'failed',
      attempt: 1,
      error: { code: 'outcome-not-stored', message, attempt: 1 },
      errors: [],
    });
    expect(statuses()).toEqual(['job.running', 'job.failed']);
  });

  it('an error that the database refuses fails its job, although it would have been retried', async () => {
    const job = await queuedJob({ maxAttempts: 2 });
    world.handler = () => Promise.reject(new Error('no luck'));
    const refusesErrors = refusing((outcome) => 'error' in outcome && outcome.error?.code === 'handler-error');
    expect(await worker(refusesErrors).run(delivery(job).message)).toBe('ack');
    expect(await world.database.jobs.get(job.id)).toMatchObject({
      status: 'failed',
      error: { code: 'outcome-not-stored' },
    });
  });

  it('an outcome whose answer was lost is still published', async () => {
    const job = await queuedJob();
    expect(await worker(unheard('settle')).run(delivery(job).message)).toBe('ack');
    expect(statuses()).toEqual(['job.running', 'job.succeeded']);
  });

  it('a repeated outcome that is fenced does not acknowledge the dispatch message', async () => {
    const job = await queuedJob();
    const { dispatchId, message } = delivery(job);
    const takenOver = withJobs({
      async settle(settlement) {
        if (settlement.attempt === 1) {
          const again = delivery(job, { dispatchId, redelivered: true }).message;
          const claim = { jobId: job.id, dispatchId, redelivered: true, deliveryCount: again.deliveryCount };
          await world.database.jobs.claim({ ...claim, claimId: randomUUID(), holder: 'spec' });
          takenOver.jobs.settle = world.database.jobs.settle;
        }
        throw new DatabaseUnavailableError();
      },
    });
    expect(await worker(takenOver).run(message)).toBe('requeue');
    expect(await world.database.jobs.get(job.id)).toMatchObject({ status: 'running', attempt: 2 });
    expect(statuses()).toEqual(['job.running']);
  });

  it('the dispatch message is not acknowledged before the broker has the last event', async () => {
    const job = await queuedJob();
    world.handler = async () => {
      await new Promise(setImmediate); // the first event goes out when a handler has begun
      world.brokerFaults = [new BrokerUnavailableError('away'), new BrokerUnavailableError('away')];
    };
    expect(await worker().run(delivery(job).message)).toBe('ack');
    expect(world.brokerFaults).toEqual([]);
    expect(statuses()).toEqual(['job.running', 'job.succeeded']);
  });
});
