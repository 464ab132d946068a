import type { Job } from '@offload/jobs';
import type { Pool } from 'pg';
import { jobColumns, toJob, type JobRow } from '../job-row.ts';
import { addWebhookDeliveries } from '../webhooks/add-webhook-deliveries.ts';
import { withError, workerLost } from './attempt-error.ts';

/** Whether a running job's holder has not been heard of for so many milliseconds. */
export async function hasUnheard(pool: Pool, silentMs: number): Promise<boolean> {
  const { rows } = await pool.query<{ unheard: boolean }>({
    name: 'has-unheard',
    text: `select exists (
      select from jobs where status = 'running'
        and coalesce(held_at, started_at) < now() - $1 * interval '1 millisecond') as unheard`,
    values: [silentMs],
  });
  return rows[0]?.unheard ?? false;
}

// What the broker does by redelivering, for jobs whose dispatch it has lost together with their worker. The fence keeps out
// a holder that was alive after all.
const sql = `
  with held as (
    select id, cancel_requested, attempt >= max_attempts as last, ${workerLost} as loss from jobs
    where status = 'running' and coalesce(held_at, started_at) < now() - $1 * interval '1 millisecond'
    order by id limit $2 for update skip locked
  ), job as (
    update jobs as job set
      status = (case when held.cancel_requested then 'cancelled' when held.last then 'failed' else 'queued' end)
        ::job_status,
      finished_at = case when held.cancel_requested or held.last then now() end,
      error = case when held.last and not held.cancel_requested then held.loss end,
      errors = case when held.last and not held.cancel_requested then job.errors else ${withError('job.errors', 'held.loss')} end,
      version = job.version + 1
    from held where job.id = held.id
    returning job.*
  ), pending as (
    insert into outbox (job_id, due_at) select id, now() from job where status = 'queued'
  ), told as (
    ${addWebhookDeliveries}
  )
  select ${jobColumns} from job`;

/**
 * running → queued, or finished when that was its last attempt or it is to be cancelled: for jobs whose holder has not
 * answered liveness checks for `silentMs`.
 *
 * @param limit most jobs at once
 * @returns the jobs after the transition
 */
export async function releaseUnheld(pool: Pool, silentMs: number, limit: number): Promise<Job[]> {
  const { rows } = await pool.query<JobRow>({ name: 'release-unheld', text: sql, values: [silentMs, limit] });
  return rows.map(toJob);
}
