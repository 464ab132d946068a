import type { Job } from '@offload/jobs';
import { boundedParse } from '@offload/jobs/definitions';
import { jobBatch, jobSubmission } from '@offload/jobs/submissions';
import { jobAsMade, type NewJob } from '@offload/database';
import { invalidBody, invalidMember } from '@offload/http';
import type { JobTypes } from '../job-types/job-types.ts';
import { newId } from './new-id.ts';

/** The parts of a new job that its body does not have. */
export interface Circumstances {
  types: Pick<JobTypes, 'find' | 'names'>;
  queues: readonly string[];
  /** Whether jobs may have webhooks of their own. @default false */
  ownWebhooks?: boolean | undefined;
  traceparent: string | null;
}

/**
 * Makes the new job of a body of `POST /v1/jobs`, with missing members from the policy of its type.
 *
 * @param at the JSON pointer of the job in the body
 * @throws Problem 400 that names each member at fault
 */
export function newJob(body: unknown, circumstances: Circumstances, at = ''): NewJob {
  const { types, queues, ownWebhooks = false, traceparent } = circumstances;
  const submission = boundedParse(jobSubmission, body);
  if (!submission.success) throw invalidBody(submission.error, at);
  const { type, runAt, delayMs, priority, tags, backoff, dedupeKey, webhook, ...rest } = submission.data;

  const known = types.find(type);
  if (!known) throw invalidMember(`${at}/type`, `is not a known job type; ${whatThereIs(types.names())}`);
  const taken = known.take(rest.payload);
  if ('faults' in taken) throw invalidBody(taken.faults, `${at}/payload`);

  const { policy } = known;
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
    typeVersion: taken.version,
    queue,
    priority,
    tags,
    payload: taken.payload,
    maxAttempts: rest.maxAttempts ?? policy.maxAttempts,
    timeoutMs: rest.timeoutMs ?? policy.timeoutMs,
    backoff: backoff ?? policy.backoff,
    delayMs: delayMs ?? 0,
    runAt: runAt?.toISOString() ?? null,
    dedupeKey: dedupeKey ?? null,
    traceparent,
    // Stored as it will be sent: the given URL may have characters that PostgreSQL cannot store.
    webhook: webhook ? { ...webhook, url: new URL(webhook.url).href } : null,
  };
}

/** Most types that an answer names. */
const MOST_NAMED = 20;

function whatThereIs(names: string[]): string {
  if (names.length === 0) return 'no worker has registered any yet';
  const more = names.length > MOST_NAMED ? ` and ${names.length - MOST_NAMED} more` : '';
  return `there are ${names.slice(0, MOST_NAMED).join(', ')}${more}`;
}

/** Reads the registered types again if a body of `POST /v1/jobs` or of a batch names an unknown type. */
export async function learnTypes(body: unknown, types: Pick<JobTypes, 'find' | 'read'>): Promise<void> {
  const { jobs, type } = Object(body) as { jobs?: unknown; type?: unknown };
  const named = Array.isArray(jobs) ? jobs.map((job: unknown) => (Object(job) as { type?: unknown }).type) : [type];
  if (named.some((each) => typeof each === 'string' && !types.find(each))) await types.read();
}

/**
 * Makes the new jobs of a body of `POST /v1/jobs/batch`.
 *
 * @throws Problem 400 that names the first job at fault, by its index, and its members
 */
export function newJobs(body: unknown, circumstances: Circumstances): NewJob[] {
  const batch = boundedParse(jobBatch, body);
  if (!batch.success) throw invalidBody(batch.error);
  return batch.data.jobs.map((job, index) => newJob(job, circumstances, `/jobs/${index}`));
}

/** The job in its first state. */
export function asCreated(wanted: NewJob, id: string, createdAt: string): Job {
  const { delayMs, runAt } = wanted;
  const dueAt = runAt ?? new Date(Date.parse(createdAt) + delayMs).toISOString();
  const status = Date.parse(dueAt) > Date.parse(createdAt) ? 'scheduled' : 'queued';
  return jobAsMade(wanted, { id, status, createdAt, dueAt });
}
