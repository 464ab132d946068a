import type { Backoff, Job } from '@offload/contracts';
import type { Pool } from 'pg';
import { jobColumns, toJob, type JobRow } from '../job-row.ts';

/** A job to be; everything has been checked. */
export interface NewJob {
  id: string;
  type: string;
  queue: string;
  priority: number;
  tags: string[];
  payload: unknown;
  maxAttempts: number;
  timeoutMs: number;
  backoff: Backoff;
  /** Milliseconds from now until it is due, by the database's clock; ignored when `runAt` is given. */
  delayMs: number;
  /** RFC 3339. */
  runAt: string | null;
}

export interface CreatedJob {
  job: Job;
  /** The outbox row of the ring it is owed. */
  outboxId: string;
}

// A due job's outbox row becomes the relay's business only after a grace, in which the creator rings by itself.
const sql = `
  with input as (
    select *, coalesce(run_at, now() + delay_ms * interval '1 millisecond') as due_at
    from unnest($1::uuid[], $2::text[], $3::text[], $4::smallint[], $5::jsonb[], $6::json[], $7::int[], $8::int[],
      $9::jsonb[], $10::float8[], $11::timestamptz[])
      as input(id, type, queue, priority, tags, payload, max_attempts, timeout_ms, backoff, delay_ms, run_at)
  ), job as (
    insert into jobs (id, type, queue, status, priority, tags, payload, max_attempts, timeout_ms, backoff, due_at)
    select id, type, queue, (case when due_at > now() then 'scheduled' else 'queued' end)::job_status, priority,
      array(select jsonb_array_elements_text(tags)), payload, max_attempts, timeout_ms, backoff, due_at
    from input
    returning *
  ), owed as (
    insert into outbox (job_id, due_at)
    select id, case status when 'queued' then now() + $12 * interval '1 millisecond' else due_at end from job
    returning id, job_id
  )
  select ${jobColumns}, owed.id as "outboxId" from job join owed on owed.job_id = job.id`;

/**
 * create → queued, or scheduled when due in the future: the job and the ring it is owed in one statement.
 *
 * @param ringGraceMs how long the creator has for ringing a due job itself before any relay does
 */
export async function createJobs(pool: Pool, jobs: NewJob[], ringGraceMs: number): Promise<CreatedJob[]> {
  const { rows } = await pool.query<JobRow & { outboxId: string }>({
    name: 'create-jobs',
    text: sql,
    values: [
      jobs.map((job) => job.id),
      jobs.map((job) => job.type),
      jobs.map((job) => job.queue),
      jobs.map((job) => job.priority),
      jobs.map((job) => JSON.stringify(job.tags)),
      jobs.map((job) => JSON.stringify(job.payload)),
      jobs.map((job) => job.maxAttempts),
      jobs.map((job) => job.timeoutMs),
      jobs.map((job) => JSON.stringify(job.backoff)),
      jobs.map((job) => job.delayMs),
      jobs.map((job) => job.runAt),
      ringGraceMs,
    ],
  });
  const created = new Map(rows.map((row) => [row.id, { job: toJob(row), outboxId: row.outboxId }]));
  return jobs.map(({ id }) => created.get(id.toLowerCase()) as CreatedJob);
}
