// A job as the api shows it. job.spec.ts compares these types with the schemas of @offload/jobs, which no program that
// installs this package has to install.

/** `scheduled → queued → running → succeeded | failed | cancelled` */
export type JobStatus = 'scheduled' | 'queued' | 'running' | 'succeeded' | 'failed' | 'cancelled';

/** What happened to a job: its new status, or `job.progress` of a running one. */
export type EventName = `job.${JobStatus | 'progress'}`;

/** Pauses between attempts, in milliseconds: `baseMs · factor^n`, at most `maxMs`. */
export interface Backoff {
  baseMs: number;
  factor: number;
  maxMs: number;
}

/** Why one attempt failed. */
export interface JobError {
  /** `timeout`, `worker-lost`, `handler-error`, `permanent`, `invalid-payload` and others. */
  code: string;
  message: string;
  /** Where the handler threw it, and where its causes were thrown; 8 KiB at most. */
  stack?: string | undefined;
  attempt: number;
  at: string;
}

/** Times are in RFC 3339. */
export interface Job {
  id: string;
  type: string;
  queue: string;
  status: JobStatus;
  priority: number;
  tags: string[];
  payload: unknown;
  result: unknown;
  /** Why a failed job failed. */
  error: JobError | null;
  /** What earlier attempts failed with, oldest first; the last 20. */
  errors: JobError[];
  progress: { percent: number; message: string | null } | null;
  /** How often the handler was started; 0 before the first time. */
  attempt: number;
  maxAttempts: number;
  /** Grows with every change of the job. */
  version: number;
  createdAt: string;
  dueAt: string;
  /** When the latest attempt started. */
  startedAt: string | null;
  finishedAt: string | null;
  /** From `startedAt` to `finishedAt`, in milliseconds. */
  durationMs: number | null;
  links: {
    /** Path of the job, on the api. */
    self: string;
    /** URL of the job's event stream, on a notifier. */
    events: string;
  };
  /** Of a queued job: its place in the queue, from 1; 10,001 stands for that and more. An estimate. */
  position?: number | undefined;
  /** Of a queued job: how long until it is likely to start, in milliseconds; null when nobody knows. */
  etaMs?: number | null | undefined;
}
