import type { Job } from '@offload/jobs';
import { boundedParse, storedPayload } from '@offload/jobs/definitions';
import { findJobDefinition, jobTypes } from '@offload/jobs/job-types';
import { jobBatch, jobSubmission } from '@offload/jobs/submissions';
import { jobAsMade, type NewJob } from '@offload/database';
import { invalidBody, invalidMember } from '@offload/http';
import { newId } from './new-id.ts';

/** What does not stand in the body. */
export interface Circumstances {
  queues: readonly string[];
  /** Whether jobs may have webhooks of their own. @default false */
  ownWebhooks?: boolean | undefined;
  traceparent: string | null;
}

/**
 * The job that a body of `POST /v1/jobs` asks for, with what it leaves out taken from the definition's policy.
 *
 * @param at where it stands in the body, as a JSON pointer
 * @throws Problem 400 that names each member at fault
 */
export function newJob(body: unknown, circumstances: Circumstances, at = ''): NewJob {
  const { queues, ownWebhooks = false, traceparent } = circumstances;
  const submission = boundedParse(jobSubmission, body);
  if (!submission.success) throw invalidBody(submission.error, at);
  const { type, runAt, delayMs, priority, tags, backoff, dedupeKey, webhook, ...rest } = submission.data;

  const definition = findJobDefinition(type);
  if (!definition) throw invalidMember(`${at}/type`, `is not a known job type; there are ${jobTypes.join(', ')}`);
  const parsed = boundedParse(definition.payload, rest.payload);
  if (!parsed.success) throw invalidBody(parsed.error, `${at}/payload`);
  const payload = storedPayload(definition.payload, rest.payload);

  const { policy } = definition;
  const queue = rest.queue ?? policy.queue;
  if (!queues.includes(queue)) {
    const known = `QUEUES of this api names ${queues.join(', ')}`;
    if (rest.queue !== undefined) throw invalidMember(`${at}/queue`, `is not a known queue; ${known}`);
    throw invalidMember(
      `${at}/type`,
      `has the queue ${queue}, which is not known; ${known}: give "queue", or add it there`,
    );
  }
  if (webhook && !ownWebhooks) {
    throw invalidMember(`${at}/webhook`, "jobs' own webhooks are off: WEBHOOK_SECRETS is not set for this process");
  }

  return {
    id: newId(),
    type,
    queue,
    priority,
    tags,
    payload,
    maxAttempts: rest.maxAttempts ?? policy.maxAttempts,
    timeoutMs: rest.timeoutMs ?? policy.timeoutMs,
    backoff: backoff ?? policy.backoff,
    delayMs: delayMs ?? 0,
    runAt: runAt?.toISOString() ?? null,
    dedupeKey: dedupeKey ?? null,
    traceparent,
    // As it is sent. What was given may have characters that PostgreSQL can't hold.
    webhook: webhook ? { ...webhook, url: new URL(webhook.url).href } : null,
  };
}

/**
 * The jobs that a body of `POST /v1/jobs/batch` asks for.
 *
 * @throws Problem 400 that names the first job at fault, by its index, and its members
 */
export function newJobs(body: unknown, circumstances: Circumstances): NewJob[] {
  const batch = boundedParse(jobBatch, body);
  if (!batch.success) throw invalidBody(batch.error);
  return batch.data.jobs.map((job, index) => newJob(job, circumstances, `/jobs/${index}`));
}

/** The job as it was when it had just been made. */
export function asCreated(wanted: NewJob, id: string, createdAt: string): Job {
  const { delayMs, runAt } = wanted;
  const dueAt = runAt ?? new Date(Date.parse(createdAt) + delayMs).toISOString();
  const status = Date.parse(dueAt) > Date.parse(createdAt) ? 'scheduled' : 'queued';
  return jobAsMade(wanted, { id, status, createdAt, dueAt });
}
