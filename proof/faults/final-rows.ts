import type { JobStatus } from '@offload/jobs';
import { sql } from '@offload/running-system';

/** A job's row, in the end. */
export interface FinalRow {
  id: string;
  status: JobStatus;
  version: number;
  result: unknown;
  error: unknown;
  /** milliseconds since 1970; null when it is not finished */
  finishedAt: number | null;
}

export function readFinalRows(url: string): Promise<FinalRow[]> {
  return sql<FinalRow>(
    url,
    `select id, status, version, result, error, (extract(epoch from finished_at) * 1000)::float8 as "finishedAt"
     from jobs`,
  );
}
