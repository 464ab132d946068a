import { briefOf, type Job, type JobError, type JobProgress, type JobStatus } from '@offload/jobs';

/** A job's columns under their TypeScript names, as {@link jobColumns} selects them. Times are RFC 3339 text. */
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
  createdAt: string;
  dueAt: string;
  startedAt: string | null;
  finishedAt: string | null;
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

/** SQL: the select list of a {@link JobRow}, from `jobs as job`. */
export const jobColumns = columnsBut();

/** SQL: the select list of a {@link JobRow} without some columns. */
export function columnsBut(...left: (keyof JobRow)[]): string {
  const taken = named.filter(([name]) => !left.includes(name as keyof JobRow));
  return taken.map(([name, column]) => `job.${column} as "${name}"`).join(', ');
}

/** SQL: the select list of a {@link BriefRow}, without the columns that may be megabytes. */
export const briefColumns = columnsBut('payload', 'result', 'errors');
/** A job's columns without payload, result and errors. */
export type BriefRow = Omit<JobRow, 'payload' | 'result' | 'errors'>;

/** SQL: the columns of a {@link JobRow} as one JSON value, for {@link jobOfSnapshot}. */
export const jobSnapshot = `json_build_object(${named.map(([name, column]) => `'${name}', job.${column}`).join(', ')})`;

/** Makes the job of a row, with its duration. */
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
    createdAt: row.createdAt,
    dueAt: row.dueAt,
    startedAt,
    finishedAt,
    durationMs: startedAt && finishedAt ? Date.parse(finishedAt) - Date.parse(startedAt) : null,
  };
}

/** Makes the brief job of a row: see `briefOf`. */
export function toBriefJob(row: BriefRow): Job {
  return briefOf(toJob(row as JobRow));
}

/** Makes the job of a {@link jobSnapshot}. */
export function jobOfSnapshot(snapshot: unknown): Job {
  const row = snapshot as JobRow;
  const text = (time: string): string => new Date(time).toISOString(); // a snapshot has times in PostgreSQL's own format
  return toJob({
    ...row,
    createdAt: text(row.createdAt),
    dueAt: text(row.dueAt),
    startedAt: row.startedAt && text(row.startedAt),
    finishedAt: row.finishedAt && text(row.finishedAt),
  });
}
