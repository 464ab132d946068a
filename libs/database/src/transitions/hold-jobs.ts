import type { Pool } from 'pg';
import { hasStatus, isOneOf } from '../by-id.ts';

/** A job whose dispatch message a worker holds. */
export interface HeldJob {
  /** The id of the job. */
  jobId: string;
  /**
   * The attempt that the worker runs; null if it holds only the dispatch message, for example while it waits for a
   * slot.
   */
  attempt: number | null;
}

// Locks rows in the order of claims and outcomes. A row that is locked is left out: otherwise it would delay the other
// rows, and their jobs would be released.
const sql = `
  with mine as (
    select job.id from (select * from unnest($1::uuid[], $2::int[]) as held(id, attempt) order by id) as held
    cross join lateral (
      select id from jobs where id = held.id and (
        (attempt = held.attempt and ${hasStatus('jobs', 'running')})
        or (held.attempt is null and ${hasStatus('jobs', 'queued')})
      ) for update skip locked
    ) as job
  )
  update jobs as job set held_at = now(), loss_note = null
  from mine where job.id = mine.id and ${isOneOf('job', 'mine')}
  returning job.id, job.cancel_requested as "cancelRequested"`;

/**
 * Stores a worker's answer to a liveness check: the attempts that it runs, and the dispatch messages that it holds. It
 * deletes loss notes, because the worker has recovered.
 *
 * @returns the ids of jobs that the worker must cancel
 */
export async function holdJobs(pool: Pool, held: HeldJob[]): Promise<string[]> {
  const { rows } = await pool.query<{ id: string; cancelRequested: boolean }>({
    name: 'hold-jobs',
    text: sql,
    values: [held.map(({ jobId }) => jobId), held.map(({ attempt }) => attempt)],
  });
  return rows.filter(({ cancelRequested }) => cancelRequested).map(({ id }) => id);
}
