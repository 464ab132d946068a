import type { Job, JobProgress } from '@offload/jobs';
import type { Pool } from 'pg';
import { briefColumns, toJob, type JobRow } from '../job-row.ts';

const sql = `
  update jobs as job set progress = $3, version = version + 1
  where id = $1 and status = 'running' and attempt = $2
  returning ${briefColumns}`;

/**
 * @returns the job with its progress, without payload, result and errors: they may be large, and have not changed. Null
 *   where the fence refused it: another attempt holds the job by now
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
