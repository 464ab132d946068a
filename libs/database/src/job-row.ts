import { briefOf, type Job, type JobError, type JobProgress, type JobStatus } from '@offload/jobs';

/** A job's columns under their names in TypeScript, as {@link jobColumns} returns them: times are RFC 3339 text. */
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

/** The select list that yields a {@link JobRow} from `jobs as job`. */
export const jobColumns = columnsBut();

/** The same without some columns. */
export function columnsBut(...left: (keyof JobRow)[]): string {
  const taken = named.filter(([name]) => !left.includes(name as keyof JobRow));
  return taken.map(([name, column]) => `job.${column} as "${name}"`).join(', ');
}

/** The same without what may be megabytes of a job: it yields a {@link BriefRow}. */
export const briefColumns = columnsBut('payload', 'result', 'errors');
export type BriefRow = Omit<JobRow, 'payload' | 'result' | 'errors'>;

/** {@link jobColumns} as one value of type json, for {@link jobOfSnapshot}. */
export const jobSnapshot = `json_build_object(${named.map(([name, column]) => `'${name}', job.${column}`).join(', ')})`;

/** The job as the rest of the system knows it: the duration worked out. */
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

/** The brief job of a row that has no more: see `briefOf`. */
export function toBriefJob(row: BriefRow): Job {
  return briefOf(toJob(row as JobRow));
}

/** The job that {@link jobSnapshot} kept. */
export function jobOfSnapshot(snapshot: unknown): Job {
  const row = snapshot as JobRow;
  const text = (time: string): string => new Date(time).toISOString(); // in PostgreSQL's own form until then
  return toJob({
    ...row,
    createdAt: text(row.createdAt),
    dueAt: text(row.dueAt),
    startedAt: row.startedAt && text(row.startedAt),
    finishedAt: row.finishedAt && text(row.finishedAt),
  });
}
