import type { Job } from '@offload/jobs';
import type { Pool } from 'pg';
import { briefColumns, toBriefJob, type BriefRow } from '../job-row.ts';

/** What became of a wish to delete a job: it is gone, or it is not finished, and shown without payload, result and errors. */
export type Deletion = 'deleted' | { kind: 'refused'; job: Job };

// A finished job may still have a pending dispatch message that nobody needed. Dispatch messages go first, in the order in which confirmations lock.
const sql = `
  with gone as (
    delete from outbox where job_id = $1
      and exists (select from jobs where id = $1 and status in ('succeeded', 'failed', 'cancelled'))
    returning job_id
  )
  delete from jobs as job using (select count(*) from gone) as first
  where job.id = $1 and job.status in ('succeeded', 'failed', 'cancelled')`;

/**
 * Deletes a finished job.
 *
 * @returns null when there is no such job
 */
export async function deleteJob(pool: Pool, jobId: string): Promise<Deletion | null> {
  const { rowCount } = await pool.query({ name: 'delete-job', text: sql, values: [jobId] });
  if (rowCount) return 'deleted';
  const found = await pool.query<BriefRow>(`select ${briefColumns} from jobs as job where id = $1`, [jobId]);
  return found.rows[0] ? { kind: 'refused', job: toBriefJob(found.rows[0]) } : null;
}
