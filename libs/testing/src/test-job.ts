import type { Job } from '@offload/jobs';
import { boundedParse, storedPayload, type JobDefinition } from '@offload/jobs/definitions';

/** Members of a test's job. Those that are omitted are as in a new job. */
export type JobMembers = Partial<Job>;

/** Makes a job as the api does: queued, with its payload in the stored form. */
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

/** Converts a payload through JSON. An invalid payload is kept, so that the attempt refuses it. */
function asStored(schema: JobDefinition['payload'], posted: unknown): unknown {
  const json = JSON.stringify(posted) as string | undefined;
  const payload: unknown = json === undefined ? undefined : JSON.parse(json);
  return boundedParse(schema, payload).success ? storedPayload(schema, payload) : payload;
}
