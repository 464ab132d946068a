// A job as the api shows it. job.spec.ts compares these types with the schemas of @offload/jobs. They are repeated here
// so that programs which install this package need not install that one.

/** `scheduled → queued → running → succeeded | failed | cancelled` */
export type JobStatus = 'scheduled' | 'queued' | 'running' | 'succeeded' | 'failed' | 'cancelled';

/** The event of a job: its new status, or `job.progress` while it runs. */
export type EventName = `job.${JobStatus | 'progress'}`;

/** The pause after n failed attempts: a random time up to `min(maxMs, baseMs * factor ** (n - 1))` milliseconds. */
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
  /** Stack trace of the handler's error and its causes; at most 8 KiB. */
  stack?: string | undefined;
  attempt: number;
  at: string;
}

/** A job. Its times are in RFC 3339. */
export interface Job {
  id: string;
  type: string;
  queue: string;
  status: JobStatus;
  priority: number;
  tags: string[];
  payload: unknown;
  result: unknown;
  /** Why the job failed; null in every other status. */
  error: JobError | null;
  /** Errors of the last 20 failed attempts, oldest first. */
  errors: JobError[];
  progress: { percent: number; message: string | null } | null;
  /** How often the handler was started; 0 before the first attempt. */
  attempt: number;
  maxAttempts: number;
  /** Increases with every change of the job. */
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
  /** Place of a queued job in its queue, from 1. An estimate; 10,001 means 10,001 or more. */
  position?: number | undefined;
  /** Milliseconds until a queued job is likely to start; null when the api cannot estimate it. */
  etaMs?: number | null | undefined;
}
