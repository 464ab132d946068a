import { randomUUID } from 'node:crypto';
import type { Job } from '@offload/jobs';
import type pg from 'pg';
import { database, sql, url } from '../spec-database.ts';
import type { Claim } from './claim-jobs.ts';
import type { NewJob } from './create-jobs.ts';
import type { Outcome } from './settle-jobs.ts';

/** A job's way by hand: no api, no broker, no worker. */
export function useJobs() {
  let created = 0;

  async function create(more: Partial<NewJob> = {}): Promise<{ id: string; outboxId: string; job: Job }> {
    const policy = { priority: 0, tags: [], maxAttempts: 3, timeoutMs: 1_000, delayMs: 0, runAt: null };
    const backoff = { baseMs: 10, factor: 2, maxMs: 100 };
    const id = `01990000-0000-7000-8000-${(created += 1).toString(16).padStart(12, '0')}`;
    const work = { id, type: 'demo.sleep', payload: {}, queue: 'default' };
    const { job, outboxId } = await database.jobs.create({ ...work, ...policy, backoff, ...more });
    return { id: job.id, job, outboxId };
  }

  /** A queued job whose dispatch message the broker has confirmed. */
  async function dispatched(more: Partial<NewJob> = {}): Promise<string> {
    const { id, outboxId } = await create(more);
    await database.outbox.confirm(outboxId);
    return id;
  }

  function claim(jobId: string, dispatch: { dispatchId?: string; count?: number } = {}): Promise<Claim> {
    const { dispatchId = randomUUID(), count = 0 } = dispatch;
    const delivery = { redelivered: count > 0, deliveryCount: count, claimId: randomUUID(), holder: 'worker-1' };
    return database.jobs.claim({ jobId, dispatchId, ...delivery });
  }

  /** A job whose first attempt runs. */
  async function running(more: Partial<NewJob> = {}) {
    const [id, dispatchId] = [await dispatched(more), randomUUID()];
    await claim(id, { dispatchId });
    return {
      id,
      dispatchId,
      settle: (outcome: Outcome, attempt = 1) => database.jobs.settle({ jobId: id, attempt, outcome }),
    };
  }

  return {
    url,
    get database() {
      return database;
    },
    create,
    dispatched,
    claim,
    running,
    query: async <Row extends pg.QueryResultRow>(text: string, values: unknown[] = []) =>
      (await sql.query<Row>(text, values)).rows,
    read: async (id: string): Promise<Job> => (await database.jobs.get(id)) as Job,
    /** How many dispatch messages of the job are pending. */
    pending: async (id: string): Promise<number> =>
      (await sql.query('select from outbox where job_id = $1', [id])).rowCount ?? 0,
    /** As if its holder had said so for the last time that long ago. */
    silence: (id: string, ms: number) =>
      sql.query(`update jobs set held_at = now() - $2 * interval '1 millisecond' where id = $1`, [id, ms]),
  };
}
