import type { Job, JobProgress } from '@offload/jobs';
import type { Pool } from 'pg';
import { briefColumns, toJob, type JobRow } from '../job-row.ts';

const sql = `
  update jobs as job set progress = $3, version = version + 1
  where id = $1 and status = 'running' and attempt = $2
  returning ${briefColumns}`;

/**
 * Stores the progress of a running attempt.
 *
 * @returns the job without payload, result and errors, which have not changed; null if the fence refused the write,
 *   because another attempt holds the job
 */
export async function reportProgress(
  pool: Pool,
  jobId: string,
  attempt: number,
  progress: JobProgress,
): Promise<Job | null> {
  const { rows } = await pool.query<JobRow>({
    name: 'report-progress',
    text: sql,
    values: [jobId, attempt, JSON.stringify(progress)],
  });
  return rows[0] ? toJob(rows[0]) : null;
}
