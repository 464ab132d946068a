import { z } from 'zod';
import { backoff } from '../members/backoff.ts';
import { plainText, queueName } from '../members/identifiers.ts';
import { MAX_TIMEOUT_MS } from '../definitions/job-definition.ts';
import { time } from '../members/time.ts';
import { webhook } from '../webhooks/webhook.ts';

const YEAR_MS = 365 * 24 * 60 * 60 * 1000;

/**
 * Schema of the body of `POST /v1/jobs`. The payload is checked separately, by the schema of its `type`. Members that
 * are omitted are taken from the job definition's policy.
 */
export const jobSubmission = z
  .strictObject({
    type: z.string(),
    payload: z.unknown().refine((value) => value !== undefined, 'is required'),
    runAt: time.optional().describe('The job does not run before this time. Excludes delayMs.'),
    delayMs: z
      .int()
      .min(0)
      .max(YEAR_MS)
      .optional()
      .describe('The job does not run before this many milliseconds have passed. Excludes runAt.'),
    queue: queueName.optional(),
    priority: z
      .int()
      .min(0)
      .max(9)
      .default(0)
      .describe(
        'From RabbitMQ 4.0 on, jobs with 5 to 9 run before jobs with 0 to 4. Older versions ignore it: see `GET /v1/queues`.',
      ),
    maxAttempts: z.int().min(1).max(100).optional(),
    timeoutMs: z.int().min(1).max(MAX_TIMEOUT_MS).optional(),
    backoff: backoff.optional(),
    dedupeKey: plainText(255)
      .optional()
      .describe(
        'While a job of the same type with this key is not finished, the answer is that job, and no other is made.',
      ),
    tags: z.array(plainText(64)).max(16).default([]),
    webhook: webhook.optional().describe('The webhook that is sent when this job is finished.'),
  })
  .refine((body) => !(body.runAt !== undefined && body.delayMs), {
    path: ['delayMs'],
    message: 'excludes runAt: give one of the two',
  })
  .refine(({ runAt }) => !(runAt !== undefined && Math.abs(runAt.getTime() - Date.now()) > 10 * YEAR_MS), {
    path: ['runAt'],
    message: 'must be within ten years of now',
  });
/** A body of `POST /v1/jobs`, before parsing: see {@link jobSubmission}. */
export type JobSubmission = z.input<typeof jobSubmission>;

/** Most jobs in one batch. */
const MAX_BATCH = 1_000;

/** Schema of the body of `POST /v1/jobs/batch`. Each entry is a {@link jobSubmission}. */
export const jobBatch = z.strictObject({ jobs: z.array(z.unknown()).min(1).max(MAX_BATCH) });
