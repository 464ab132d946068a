import type { Job } from '@offload/jobs';
import type { Pool } from 'pg';
import { briefColumns, jobColumns, toBriefJob, toJob, type BriefRow, type JobRow } from '../job-row.ts';
import { withError } from './attempt-error.ts';
import type { OwedRing } from './due-dispatches.ts';

/** What became of a wish to have a job run once more. */
export type Retry =
  /** Queued again; its caller is the first who may send the ring. */
  | { kind: 'queued'; job: Job; ring: OwedRing }
  /** It is neither failed nor cancelled; without payload, result and errors. */
  | { kind: 'refused'; job: Job }
  /** Another job of its type with the same dedupe key is not finished. */
  | { kind: 'duplicate' };

// The attempt stays as it is until the next claim raises it, for as a fence it must only grow; and nobody can write with
// it meanwhile, since only running jobs are written to. An old ring that still comes back may claim the job: that is one
// of the attempts it is to have, and the new ring is refused then.
const sql = `
  with job as (
    update jobs as job set
      status = 'queued',
      cancel_requested = false,
      lost_deliveries = 0,
      result = null,
      error = null,
      errors = case when error is null then errors else ${withError('errors', 'error')} end,
      progress = null,
      max_attempts = greatest(max_attempts, attempt + 1),
      ring_id = null,
      delivery_count = null,
      claim_id = null,
      holder = null,
      held_at = null,
      due_at = now(),
      started_at = null,
      finished_at = null,
      version = version + 1
    where id = $1 and status in ('failed', 'cancelled')
    returning job.*
  ), owed as (
    insert into outbox (job_id, due_at) select id, now() + $2 * interval '1 millisecond' from job
    returning id
  )
  select ${jobColumns}, job.traceparent, owed.id as "outboxId" from job, owed`;

/**
 * failed, cancelled → queued, by hand: at least one more attempt, and a ring.
 *
 * @param ringGraceMs how long the caller has for ringing it itself before any relay does
 * @returns null when there is no such job
 */
export async function retryJob(pool: Pool, jobId: string, ringGraceMs: number): Promise<Retry | null> {
  const row = await requeue(pool, jobId, ringGraceMs);
  if (row === 'duplicate') return { kind: 'duplicate' };
  if (row) {
    const { id, type, queue, priority, outboxId, traceparent } = row;
    return { kind: 'queued', job: toJob(row), ring: { outboxId, jobId: id, type, queue, priority, traceparent } };
  }
  const found = await pool.query<BriefRow>(`select ${briefColumns} from jobs as job where id = $1`, [jobId]);
  return found.rows[0] ? { kind: 'refused', job: toBriefJob(found.rows[0]) } : null;
}

type RetriedRow = JobRow & Pick<OwedRing, 'outboxId' | 'traceparent'>;

async function requeue(pool: Pool, jobId: string, ringGraceMs: number): Promise<RetriedRow | 'duplicate' | undefined> {
  try {
    const values = [jobId, ringGraceMs];
    return (await pool.query<RetriedRow>({ name: 'retry-job', text: sql, values })).rows[0];
  } catch (error) {
    const { code, constraint } = error as { code?: string; constraint?: string };
    if (code === '23505' && constraint === 'jobs_dedupe_idx') return 'duplicate'; // unique_violation
    throw error;
  }
}
