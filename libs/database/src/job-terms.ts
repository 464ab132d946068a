import type { Backoff } from '@offload/jobs/definitions';
import type { Pool } from 'pg';

/** What decides whether a job is tried again, and when. */
export interface RetryPolicy {
  maxAttempts: number;
  /** Attempts that have failed before this one. Beyond the 20 that are kept none is counted. */
  failures: number;
  backoff: Backoff;
}

/** For callers that have not claimed the job themselves. @returns null when there is no such job */
export async function readRetryPolicy(pool: Pool, jobId: string): Promise<RetryPolicy | null> {
  const { rows } = await pool.query<RetryPolicy>({
    name: 'read-retry-policy',
    text: `select max_attempts as "maxAttempts", jsonb_array_length(errors) as failures, backoff from jobs where id = $1`,
    values: [jobId],
  });
  return rows[0] ?? null;
}
