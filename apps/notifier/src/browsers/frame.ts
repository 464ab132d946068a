import type { EventName, JobWithLinks } from '@offload/contracts';

/** One event as text/event-stream writes it. JSON has no line breaks of its own, so one data line does. */
export function frame(event: EventName, job: JobWithLinks): string {
  return `event: ${event}\nid: ${job.version}\ndata: ${JSON.stringify(job)}\n\n`;
}
