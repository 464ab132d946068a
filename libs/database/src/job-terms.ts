import type { Backoff } from '@offload/jobs/definitions';
import type { Pool } from 'pg';

/** What an api must know of a job to store how an attempt ended that it has not claimed itself. */
export interface JobTerms {
  type: string;
  /** The version of the type that took the payload. */
  typeVersion: number;
  maxAttempts: number;
  /** Attempts that have failed before this one. Beyond the 20 that are kept none is counted. */
  failures: number;
  backoff: Backoff;
}

const sql = `
  select type, type_version as "typeVersion", max_attempts as "maxAttempts", jsonb_array_length(errors) as failures, backoff
  from jobs where id = $1`;

/** @returns null when there is no such job */
export async function readJobTerms(pool: Pool, jobId: string): Promise<JobTerms | null> {
  const { rows } = await pool.query<JobTerms>({ name: 'read-job-terms', text: sql, values: [jobId] });
  return rows[0] ?? null;
}
