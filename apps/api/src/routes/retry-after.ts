import type { Job } from '@offload/contracts';

/** `Retry-After` of an unfinished job, in whole seconds (RFC 9110 section 10.2.3): not before it is due, at least 1. */
export function retryAfter(job: Job): string {
  const untilDueMs = job.status === 'scheduled' ? Date.parse(job.dueAt) - Date.now() : 0;
  return String(Math.max(1, Math.ceil(untilDueMs / 1_000)));
}
