import type { Pool } from 'pg';
import { hasStatus, isOneOf } from '../by-id.ts';

/** A job whose dispatch message a worker has. */
export interface HeldJob {
  jobId: string;
  /** The attempt that the worker runs; null while it has the dispatch message only, because it waits for a slot, say. */
  attempt: number | null;
}

// Locked in the order in which claims and outcomes lock. A row that is locked is left out: one that stays so must not keep
// the others from being held, since they would be released.
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
 * A worker's answer to a liveness check: these run here, and the dispatch messages of those wait here. Whatever has held up that worker is
 * over.
 *
 * @returns the ids of those that are to be cancelled
 */
export async function holdJobs(pool: Pool, held: HeldJob[]): Promise<string[]> {
  const { rows } = await pool.query<{ id: string; cancelRequested: boolean }>({
    name: 'hold-jobs',
    text: sql,
    values: [held.map(({ jobId }) => jobId), held.map(({ attempt }) => attempt)],
  });
  return rows.filter(({ cancelRequested }) => cancelRequested).map(({ id }) => id);
}
