import type { Job } from '@offload/jobs';
import { withLinks } from '@offload/jobs/answers';
import type { EventName } from '@offload/jobs/events';

/**
 * One event as text/event-stream writes it: as bytes, which all who watch the job share however long they take to read
 * them. JSON has no line breaks of its own, so one data line does.
 */
export function frame(event: EventName, job: Job, notifierUrl: string): Buffer {
  return Buffer.from(`event: ${event}\nid: ${job.version}\ndata: ${JSON.stringify(withLinks(job, notifierUrl))}\n\n`);
}
