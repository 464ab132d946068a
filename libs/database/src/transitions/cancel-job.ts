import type { Job } from '@offload/jobs';
import type { Pool } from 'pg';
import { briefColumns, jobColumns, toBriefJob, toJob, type BriefRow, type JobRow } from '../job-row.ts';
import { addWebhookDeliveries } from '../webhooks/add-webhook-deliveries.ts';

/** What became of a wish to cancel. */
export type Cancellation =
  /** It had not been started, and never will be. */
  | { kind: 'cancelled'; job: Job }
  /** It is running: its worker has to be told. Unless it succeeds all the same, it ends as cancelled. */
  | { kind: 'requested'; job: Job }
  /** It was finished before; without payload, result and errors. */
  | { kind: 'finished'; job: Job };

// Dispatch messages that are pending go first, in the order in which confirmations lock: they take outbox rows, then jobs. One that is
// missed here (its row came while this one waited) costs a refused claim.
const sql = `
  with gone as (
    delete from outbox where job_id = $1 and exists (select from jobs where id = $1 and status in ('queued', 'scheduled'))
    returning job_id
  ), job as (
    update jobs as job set
      status = (case job.status when 'running' then 'running' else 'cancelled' end)::job_status,
      cancel_requested = job.status = 'running',
      finished_at = case job.status when 'running' then null else now() end,
      version = case job.status when 'running' then job.version else job.version + 1 end
    from (select count(*) from gone) as first
    where job.id = $1 and job.status in ('queued', 'scheduled', 'running')
    returning job.*
  ), told as (
    ${addWebhookDeliveries}
  )
  select ${jobColumns} from job`;

/**
 * queued, scheduled → cancelled; of a running job it is noted that its worker is to stop it.
 *
 * @returns null when there is no such job
 */
export async function cancelJob(pool: Pool, jobId: string): Promise<Cancellation | null> {
  const { rows } = await pool.query<JobRow>({ name: 'cancel-job', text: sql, values: [jobId] });
  if (rows[0]) {
    const job = toJob(rows[0]);
    return { kind: job.status === 'running' ? 'requested' : 'cancelled', job };
  }
  const found = await pool.query<BriefRow>(`select ${briefColumns} from jobs as job where id = $1`, [jobId]);
  return found.rows[0] ? { kind: 'finished', job: toBriefJob(found.rows[0]) } : null;
}
