import { withClient } from '@offload/running-system';

/** The parts of a job's row that the contract defines. */
export interface StoredJob {
  id: string;
  type: string;
  queue: string;
  status: string;
  priority: number;
  tags: string[];
  payload: unknown;
  maxAttempts: number;
  timeoutMs: number;
  backoff: unknown;
  dedupeKey: string | null;
  traceparent: string | null;
  version: number;
  createdAt: Date;
  dueAt: Date;
}

const text = `
  select id, type, queue, status, priority, tags, payload, max_attempts as "maxAttempts", timeout_ms as "timeoutMs", backoff,
    dedupe_key as "dedupeKey", traceparent, version, created_at as "createdAt", due_at as "dueAt"
  from jobs order by id`;

/** Reads every job by SQL, so that a fault of the system does not hide it. */
export function storedJobs(databaseUrl: string): Promise<StoredJob[]> {
  return withClient(databaseUrl, async (client) => (await client.query<StoredJob>(text)).rows);
}
