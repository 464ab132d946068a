import { randomUUID } from 'node:crypto';
import type { Job } from '@offload/jobs';
import { database, sql } from '../spec-database.ts';
import type { Claim, Delivery } from './claim-jobs.ts';

export async function create({ delayMs = 0, maxAttempts = 3 } = {}): Promise<string> {
  const id = randomUUID();
  const backoff = { baseMs: 10, factor: 2, maxMs: 100 };
  const policy = { queue: 'default', priority: 0, tags: [], maxAttempts, timeoutMs: 1_234, backoff, delayMs };
  await database.jobs.create({ id, type: 'demo.sleep', payload: {}, ...policy, runAt: null });
  return id;
}

/** Deliveries of one dispatch message, each with its own claim id: `first`, and the redelivered `again`. */
export function dispatch(jobId: string, dispatchId: string = randomUUID()) {
  let handedOut = 0;
  const delivery = (redelivered: boolean): Delivery => ({
    ...{ jobId, dispatchId, redelivered, claimId: randomUUID(), holder: 'spec' },
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

/** A running job, held by the delivery of `holder`. */
export async function running(options?: { maxAttempts?: number }) {
  const jobId = await create(options);
  const holder = dispatch(jobId);
  await database.jobs.claim(holder.first);
  return { jobId, holder, stranger: dispatch(jobId) };
}

export const read = async (jobId: string): Promise<Job> => (await database.jobs.get(jobId)) as Job;
export const makeDue = (jobId: string) =>
  sql.query(`update jobs set due_at = now() - interval '1 second' where id = $1`, [jobId]);
export const claimAll = (deliveries: ReturnType<typeof dispatch>['first'][]): Promise<Claim[]> =>
  Promise.all(deliveries.map((delivery) => database.jobs.claim(delivery)));
