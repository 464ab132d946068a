import { z } from 'zod';

/** Schema of a job's status: `scheduled → queued → running → succeeded | failed | cancelled`. */
export const jobStatus = z.enum(['scheduled', 'queued', 'running', 'succeeded', 'failed', 'cancelled']);
/** See {@link jobStatus}. */
export type JobStatus = z.infer<typeof jobStatus>;

const finished: ReadonlySet<JobStatus> = new Set(['succeeded', 'failed', 'cancelled']);

/** Whether a status is final. Only `retry` changes such a job. */
export function isFinished(status: JobStatus): boolean {
  return finished.has(status);
}

/** Why one attempt failed. */
const jobError = z.object({
  code: z
    .string()
    .describe(
      '`timeout`, `worker-lost`, `delivery-lost`, `outcome-not-stored`, `handler-error`, `permanent`, `invalid-payload`, `invalid-result` or `result-too-large`',
    ),
  message: z.string(),
  stack: z.string().optional().describe('Stack trace of the error and its causes; at most 8 KiB.'),
  attempt: z.int(),
  at: z.iso.datetime(),
});
/** Why one attempt failed. */
export type JobError = z.infer<typeof jobError>;

const jobProgress = z.object({ percent: z.number().min(0).max(100), message: z.string().nullable() });
/** How far a running job is, as its handler reports it. */
export type JobProgress = z.infer<typeof jobProgress>;

/** Schema of a job in events, and in HTTP answers, which add `links`. */
export const job = z.object({
  id: z.uuid(),
  type: z.string(),
  queue: z.string(),
  status: jobStatus,
  priority: z.int(),
  tags: z.array(z.string()),
  payload: z.unknown(),
  result: z.unknown(),
  error: jobError.nullable().describe('Why the job failed; null in every other status.'),
  errors: z.array(jobError).describe('Errors of the last 20 failed attempts, oldest first.'),
  progress: jobProgress.nullable(),
  attempt: z.int().describe('How often the handler was started; 0 before the first attempt.'),
  maxAttempts: z.int(),
  version: z.int().describe('Increases with every change of the job.'),
  createdAt: z.iso.datetime(),
  dueAt: z.iso.datetime(),
  startedAt: z.iso.datetime().nullable().describe('When the latest attempt started.'),
  finishedAt: z.iso.datetime().nullable(),
  durationMs: z.int().nullable().describe('Milliseconds from startedAt to finishedAt.'),
});
/** See {@link job}. */
export type Job = z.infer<typeof job>;

/** The job without its large members: payload and result are null, and errors are empty. */
export function briefOf(job: Job): Job {
  return { ...job, payload: null, result: null, errors: [] };
}
