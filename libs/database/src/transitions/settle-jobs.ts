import type { Job, JobError } from '@offload/contracts';
import type { Pool } from 'pg';
import { jobColumns, toJob, type JobRow } from '../job-row.ts';

/** How an attempt ended. */
export type Outcome =
  | { status: 'succeeded'; result: unknown }
  | { status: 'failed'; error: JobError }
  /** Again after `delayMs`. Without an error it is "not now": the attempt is not used up. */
  | { status: 'scheduled'; error: JobError | null; delayMs: number }
  /** Given back by a worker that stops: the attempt is not used up, and its ring goes back to the queue. */
  | { status: 'queued' };

export interface Settlement {
  jobId: string;
  /** The fence: only the attempt that was claimed last may write. */
  attempt: number;
  outcome: Outcome;
}

/** The ring of a job that is given back returns to its queue by itself; should it have been lost, the relay rings then. */
const GIVEN_BACK_GRACE_MS = 5_000;

// An attempt that is not used up raises max_attempts instead of lowering attempt, which as a fence must only grow.
const sql = `
  with input as (
    select * from unnest($1::uuid[], $2::int[], $3::job_status[], $4::json[], $5::jsonb[], $6::float8[])
      as input(id, attempt, status, result, error, delay_ms)
  ), job as (
    update jobs as job set
      status = input.status,
      result = input.result,
      error = case input.status when 'failed' then input.error end,
      errors = case when input.status = 'scheduled' and input.error is not null
        then job.errors || input.error else job.errors end,
      max_attempts = case when input.status in ('scheduled', 'queued') and input.error is null
        then job.max_attempts + 1 else job.max_attempts end,
      due_at = case input.status when 'scheduled'
        then now() + input.delay_ms * interval '1 millisecond' else job.due_at end,
      finished_at = case when input.status in ('succeeded', 'failed') then now() end,
      version = job.version + 1
    from input
    where job.id = input.id and job.status = 'running' and job.attempt = input.attempt
    returning job.*
  ), owed as (
    insert into outbox (job_id, due_at)
    select id, case status when 'scheduled' then due_at else now() + $7 * interval '1 millisecond' end
    from job where status in ('scheduled', 'queued')
  )
  select ${jobColumns} from job`;

/**
 * running → succeeded, failed, scheduled (retry) or queued (given back), for the attempt that holds the job.
 *
 * @returns the job after the transition, or null where the fence refused it: another attempt holds the job by now
 */
export async function settleJobs(pool: Pool, settlements: Settlement[]): Promise<(Job | null)[]> {
  const { rows } = await pool.query<JobRow>({
    name: 'settle-jobs',
    text: sql,
    values: [
      settlements.map(({ jobId }) => jobId),
      settlements.map(({ attempt }) => attempt),
      settlements.map(({ outcome }) => outcome.status),
      settlements.map(({ outcome }) => (outcome.status === 'succeeded' ? JSON.stringify(outcome.result) : null)),
      settlements.map(({ outcome }) => ('error' in outcome && outcome.error ? JSON.stringify(outcome.error) : null)),
      settlements.map(({ outcome }) => (outcome.status === 'scheduled' ? outcome.delayMs : 0)),
      GIVEN_BACK_GRACE_MS,
    ],
  });
  // Two attempts of one job in one batch: the row says which of them it was.
  const settled = new Map(rows.map((row) => [`${row.id} ${row.attempt}`, toJob(row)]));
  return settlements.map(({ jobId, attempt }) => settled.get(`${jobId} ${attempt}`) ?? null);
}
