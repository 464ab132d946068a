import type { Job } from '@offload/jobs';
import { withLinks } from '@offload/jobs/answers';
import type { EventName } from '@offload/jobs/events';

/**
 * One event in the format text/event-stream. It is a buffer, which all watchers of the job share while they read at
 * their own pace. One data line suffices, because JSON has no line breaks.
 */
export function frame(event: EventName, job: Job, notifierUrl: string): Buffer {
  return Buffer.from(`event: ${event}\nid: ${job.version}\ndata: ${JSON.stringify(withLinks(job, notifierUrl))}\n\n`);
}
