import { findJobDefinition, jobSubmission, jobTypes } from '@offload/contracts';
import type { NewJob } from '@offload/database';
import { invalidBody, invalidMember } from '@offload/runtime';
import { v7 as uuidv7 } from 'uuid';

/**
 * The job a body of `POST /v1/jobs` asks for, with what it leaves out taken from the definition's policy.
 *
 * @throws Problem 400 that names each member at fault
 */
export function newJob(body: unknown, queues: readonly string[]): NewJob {
  const submission = jobSubmission.safeParse(body);
  if (!submission.success) throw invalidBody(submission.error);
  const { type, runAt, delayMs, priority, tags, backoff, ...rest } = submission.data;

  const definition = findJobDefinition(type);
  if (!definition) throw invalidMember('/type', `is not a known job type; there are ${jobTypes.join(', ')}`);
  const payload = definition.payload.safeParse(rest.payload);
  if (!payload.success) throw invalidBody(payload.error, '/payload');

  const { policy } = definition;
  const queue = rest.queue ?? policy.queue;
  if (!queues.includes(queue)) throw invalidMember('/queue', `is not a known queue; there are ${queues.join(', ')}`);

  return {
    id: uuidv7(),
    type,
    queue,
    priority,
    tags,
    payload: payload.data,
    maxAttempts: rest.maxAttempts ?? policy.maxAttempts,
    timeoutMs: rest.timeoutMs ?? policy.timeoutMs,
    backoff: backoff ?? policy.backoff,
    delayMs: delayMs ?? 0,
    runAt: runAt === undefined ? null : new Date(runAt).toISOString(), // PostgreSQL takes fewer offsets than RFC 3339
  };
}
