import { randomUUID } from 'node:crypto';
import { expect } from '@jest/globals';
import type { Job } from '@offload/jobs';
import type { Webhook } from '@offload/jobs/webhooks';
import { database, sql } from '../spec-database.ts';
import type { Claim, ClaimedJob } from './claim-jobs.ts';
import type { AttemptError, Outcome } from './settle-jobs.ts';

/** A job whose first attempt runs, with the dispatch message of its creation confirmed. */
export async function running({ maxAttempts = 3, webhook = null as Webhook | null } = {}) {
  const id = randomUUID();
  const backoff = { baseMs: 10, factor: 2, maxMs: 100 };
  const policy = { queue: 'default', priority: 0, tags: [], maxAttempts, timeoutMs: 1_000, backoff, delayMs: 0 };
  const { outboxId } = await database.jobs.create({
    id,
    type: 'demo.sleep',
    payload: {},
    ...policy,
    runAt: null,
    webhook,
  });
  await database.outbox.confirm(outboxId);
  const dispatchId = randomUUID();
  let deliveryCount = -1;
  const claims: Claim[] = [];
  async function claim(redelivered = false): Promise<Claim> {
    const delivery = { redelivered, deliveryCount: (deliveryCount += 1), claimId: randomUUID(), holder: 'spec' };
    const claimed = await database.jobs.claim({ jobId: id, dispatchId, ...delivery });
    claims.push(claimed);
    return claimed;
  }
  await claim();
  /** By whom has not heard what the claim was answered. */
  const settle = (outcome: Outcome, attempt = 1) => database.jobs.settle({ jobId: id, attempt, outcome });
  /** By whom has. */
  function settleClaimed(outcome: Outcome, attempt = 1) {
    const claimed = claims.find((each) => each.kind === 'claimed' && each.job.attempt === attempt) as ClaimedJob;
    return database.jobs.settle({ jobId: id, attempt, outcome, claimed });
  }
  return { id, claim, settle, settleClaimed };
}

export const read = async (id: string): Promise<Job> => (await database.jobs.get(id)) as Job;
export const errorOf = (attempt: number, message = 'no luck'): AttemptError => ({
  code: 'handler-error',
  message,
  attempt,
});
/** The same as it is kept: with the time, by the database's clock. */
export const kept = (attempt: number, message?: string) => ({
  ...errorOf(attempt, message),
  at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
});
/** How long after now the job's dispatch messages are due, in milliseconds. */
export async function pending(id: string): Promise<number[]> {
  const due = 'extract(epoch from outbox.due_at - jobs.due_at)::float8 as "afterDue"';
  const { rows } = await sql.query(`select ${due} from outbox join jobs on jobs.id = job_id where job_id = $1`, [id]);
  return rows.map(({ afterDue }) => afterDue);
}
export const msUntilDue = async (id: string): Promise<number> =>
  (await sql.query('select extract(epoch from due_at - now())::float8 * 1000 as ms from jobs where id = $1', [id]))
    .rows[0].ms;
