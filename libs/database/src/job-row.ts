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

const columns: Record<keyof JobRow, string> = {
  id: 'id',
  type: 'type',
  queue: 'queue',
  status: 'status',
  priority: 'priority',
  tags: 'tags',
  payload: 'payload',
  result: 'result',
  error: 'error',
  errors: 'errors',
  progress: 'progress',
  attempt: 'attempt',
  maxAttempts: 'max_attempts',
  version: 'version',
  createdAt: 'created_at',
  dueAt: 'due_at',
  startedAt: 'started_at',
  finishedAt: 'finished_at',
};
const named = Object.entries(columns);

/** The select list that yields a {@link JobRow} from `jobs as job`. */
export const jobColumns = named.map(([name, column]) => `job.${column} as "${name}"`).join(', ');

/** The same as one value of type json, for {@link jobOfSnapshot}. */
export const jobSnapshot = `json_build_object(${named.map(([name, column]) => `'${name}', job.${column}`).join(', ')})`;

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

/** The job that {@link jobSnapshot} kept. */
export function jobOfSnapshot(snapshot: unknown): Job {
  const row = snapshot as JobRow;
  const date = (text: unknown): Date => new Date(text as string);
  return toJob({
    ...row,
    createdAt: date(row.createdAt),
    dueAt: date(row.dueAt),
    startedAt: row.startedAt && date(row.startedAt),
    finishedAt: row.finishedAt && date(row.finishedAt),
  });
}
