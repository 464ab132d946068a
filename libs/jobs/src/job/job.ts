import { z } from 'zod';

/** `scheduled → queued → running → succeeded | failed | cancelled` */
export const jobStatus = z.enum(['scheduled', 'queued', 'running', 'succeeded', 'failed', 'cancelled']);
export type JobStatus = z.infer<typeof jobStatus>;

const finished: ReadonlySet<JobStatus> = new Set(['succeeded', 'failed', 'cancelled']);

/** Whether a job in this status will never change again by itself. */
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
  stack: z.string().optional().describe('Where the handler threw it, and where its causes were thrown; 8 KiB at most.'),
  attempt: z.int(),
  at: z.iso.datetime(),
});
export type JobError = z.infer<typeof jobError>;

const jobProgress = z.object({ percent: z.number().min(0).max(100), message: z.string().nullable() });
export type JobProgress = z.infer<typeof jobProgress>;

/** A job as events carry it and as HTTP answers it, there with `links` added. */
export const job = z.object({
  id: z.uuid(),
  type: z.string(),
  queue: z.string(),
  status: jobStatus,
  priority: z.int(),
  tags: z.array(z.string()),
  payload: z.unknown(),
  result: z.unknown(),
  error: jobError.nullable().describe('Why a failed job failed.'),
  errors: z.array(jobError).describe('What earlier attempts failed with, oldest first; the last 20.'),
  progress: jobProgress.nullable(),
  attempt: z.int().describe('How often the handler was started; 0 before the first time.'),
  maxAttempts: z.int(),
  version: z.int().describe('Grows with every change of the job.'),
  createdAt: z.iso.datetime(),
  dueAt: z.iso.datetime(),
  startedAt: z.iso.datetime().nullable().describe('When the latest attempt started.'),
  finishedAt: z.iso.datetime().nullable(),
  durationMs: z.int().nullable().describe('From startedAt to finishedAt.'),
});
export type Job = z.infer<typeof job>;

/** The job without what may be megabytes of it: null for its payload and its result, and no errors. */
export function briefOf(job: Job): Job {
  return { ...job, payload: null, result: null, errors: [] };
}
