import type { Job } from '@offload/jobs';
import { boundedParse, storedPayload, type JobDefinition } from '@offload/jobs/definitions';

/** What a test says of a job. Whatever it leaves out is as in a fresh job. */
export type JobMembers = Partial<Job>;

/** A job as the api makes it: queued, with its payload as it is stored. */
export function testJob({ type, policy, payload }: JobDefinition, posted: unknown, members: JobMembers = {}): Job {
  const now = new Date().toISOString();
  return {
    id: crypto.randomUUID(),
    type,
    queue: policy.queue,
    status: 'queued',
    priority: 0,
    tags: [],
    payload: asStored(payload, posted),
    result: null,
    error: null,
    errors: [],
    progress: null,
    attempt: 0,
    maxAttempts: policy.maxAttempts,
    version: 1,
    createdAt: now,
    dueAt: now,
    startedAt: null,
    finishedAt: null,
    durationMs: null,
    ...members,
  };
}

/** Through JSON, as a payload goes; one that does not fit is kept, for the attempt to refuse it. */
function asStored(schema: JobDefinition['payload'], posted: unknown): unknown {
  const json = JSON.stringify(posted) as string | undefined;
  const payload: unknown = json === undefined ? undefined : JSON.parse(json);
  return boundedParse(schema, payload).success ? storedPayload(schema, payload) : payload;
}
