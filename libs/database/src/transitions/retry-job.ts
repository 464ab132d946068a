import type { Job } from '@offload/jobs';
import type { Pool } from 'pg';
import { briefColumns, jobColumns, toBriefJob, toJob, type BriefRow, type JobRow } from '../job-row.ts';
import { withError } from './attempt-error.ts';
import type { PendingDispatch } from './due-dispatches.ts';

/** What became of a wish to have a job run once more. */
export type Retry =
  /** Queued again; its caller is the first who may send the dispatch message. */
  | { kind: 'queued'; job: Job; dispatch: PendingDispatch }
  /** It is neither failed nor cancelled; without payload, result and errors. */
  | { kind: 'refused'; job: Job }
  /** Another job of its type with the same dedupe key is not finished. */
  | { kind: 'duplicate' };

// The attempt stays as it is until the next claim raises it, for as a fence it must only grow; and nobody can write with
// it meanwhile, since only running jobs are written to. An old dispatch message that still comes back may claim the job: that is one
// of the attempts it is to have, and the new dispatch message is refused then.
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
      dispatch_id = null,
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
  ), pending as (
    insert into outbox (job_id, due_at) select id, now() + $2 * interval '1 millisecond' from job
    returning id
  )
  select ${jobColumns}, job.traceparent, pending.id as "outboxId" from job, pending`;

/**
 * failed, cancelled → queued, by hand: at least one more attempt, and a dispatch message.
 *
 * @param dispatchGraceMs how long the caller has for dispatching it itself before any relay does
 * @returns null when there is no such job
 */
export async function retryJob(pool: Pool, jobId: string, dispatchGraceMs: number): Promise<Retry | null> {
  const row = await requeue(pool, jobId, dispatchGraceMs);
  if (row === 'duplicate') return { kind: 'duplicate' };
  if (row) {
    const { id, type, queue, priority, outboxId, traceparent } = row;
    return { kind: 'queued', job: toJob(row), dispatch: { outboxId, jobId: id, type, queue, priority, traceparent } };
  }
  const found = await pool.query<BriefRow>(`select ${briefColumns} from jobs as job where id = $1`, [jobId]);
  return found.rows[0] ? { kind: 'refused', job: toBriefJob(found.rows[0]) } : null;
}

type RetriedRow = JobRow & Pick<PendingDispatch, 'outboxId' | 'traceparent'>;

async function requeue(
  pool: Pool,
  jobId: string,
  dispatchGraceMs: number,
): Promise<RetriedRow | 'duplicate' | undefined> {
  try {
    const values = [jobId, dispatchGraceMs];
    return (await pool.query<RetriedRow>({ name: 'retry-job', text: sql, values })).rows[0];
  } catch (error) {
    const { code, constraint } = error as { code?: string; constraint?: string };
    if (code === '23505' && constraint === 'jobs_dedupe_idx') return 'duplicate'; // unique_violation
    throw error;
  }
}
