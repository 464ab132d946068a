import type { Job } from '@offload/jobs';
import type { Pool } from 'pg';
import { briefColumns, jobColumns, toBriefJob, toJob, type BriefRow, type JobRow } from '../job-row.ts';
import { withError } from './attempt-error.ts';
import type { PendingDispatch } from './due-dispatches.ts';

/** The result of a retry by hand. */
export type Retry =
  /** The job is queued again. The caller may send the dispatch message before relays do. */
  | { kind: 'queued'; job: Job; dispatch: PendingDispatch }
  /** The job is neither failed nor cancelled. It has no payload, result and errors here. */
  | { kind: 'refused'; job: Job }
  /** Another unfinished job of its type has the same dedupe key. */
  | { kind: 'duplicate' };

// `attempt` stays until the next claim raises it, because a fence must only grow. No attempt can write with it
// meanwhile, since only running jobs accept writes. An old dispatch message that still arrives may claim the job: that
// uses one of its attempts, and the new dispatch message is refused.
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
 * failed, cancelled → queued, by hand, with at least one more attempt and a dispatch message.
 *
 * @param dispatchGraceMs how long the caller may dispatch the job before a relay does, in milliseconds
 * @returns null if there is no such job
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
