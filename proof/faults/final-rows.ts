import type { JobStatus } from '@offload/jobs';
import { sql } from '@offload/running-system';

/** The final row of a job. */
export interface FinalRow {
  id: string;
  status: JobStatus;
  version: number;
  result: unknown;
  error: unknown;
  /** Milliseconds since 1970; null while it is not finished. */
  finishedAt: number | null;
}

/** Reads the rows of all jobs. */
export function readFinalRows(url: string): Promise<FinalRow[]> {
  return sql<FinalRow>(
    url,
    `select id, status, version, result, error, (extract(epoch from finished_at) * 1000)::float8 as "finishedAt"
     from jobs`,
  );
}
