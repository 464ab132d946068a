import type { Job, JobError, JobProgress, JobStatus } from '@offload/contracts';

/** A job's columns under their names in TypeScript, as both Prisma and {@link jobColumns} return them. */
export interface JobRow {
  id: string;
  type: string;
  queue: string;
  status: JobStatus;
  priority: number;
  tags: string[];
  payload: unknown;
  result: unknown;
  error: unknown;
  errors: unknown;
  progress: unknown;
  attempt: number;
  maxAttempts: number;
  version: number;
  createdAt: Date;
  dueAt: Date;
  startedAt: Date | null;
  finishedAt: Date | null;
}

/** The select list that yields a {@link JobRow} from `jobs as job`. */
export const jobColumns = `job.id, job.type, job.queue, job.status, job.priority, job.tags, job.payload, job.result,
  job.error, job.errors, job.progress, job.attempt, job.max_attempts as "maxAttempts", job.version,
  job.created_at as "createdAt", job.due_at as "dueAt", job.started_at as "startedAt",
  job.finished_at as "finishedAt"`;

/** The job as the rest of the system knows it: times as RFC 3339 strings, the duration worked out. */
export function toJob(row: JobRow): Job {
  const { startedAt, finishedAt } = row;
  return {
    id: row.id,
    type: row.type,
    queue: row.queue,
    status: row.status,
    priority: row.priority,
    tags: row.tags,
    payload: row.payload,
    result: row.result,
    error: row.error as JobError | null,
    errors: row.errors as JobError[],
    progress: row.progress as JobProgress | null,
    attempt: row.attempt,
    maxAttempts: row.maxAttempts,
    version: row.version,
    createdAt: row.createdAt.toISOString(),
    dueAt: row.dueAt.toISOString(),
    startedAt: startedAt?.toISOString() ?? null,
    finishedAt: finishedAt?.toISOString() ?? null,
    durationMs: startedAt && finishedAt ? finishedAt.getTime() - startedAt.getTime() : null,
  };
}
