import {
  addressOf,
  eventOf,
  jobEvents,
  printEvent,
  printJob,
  type EventName,
  type Job,
  type PrintedMembers,
} from '@offload/jobs';
import { createListPublisher, exchanges, Printed, type Publisher } from '@offload/messaging';

export interface AnnounceOptions {
  /** What happened. @default `job.<status>` */
  event?: EventName;
  /** What of the job has been printed already. */
  printed?: PrintedMembers;
}

/** Sends a job as an event; resolves when the broker has confirmed it, and rejects as `Publisher.publish` does. */
export type Announce = (job: Job, options?: AnnounceOptions) => Promise<void>;

/** @returns a function that broadcasts a job as it is now */
export function announceWith(publisher: Publisher): Announce {
  // Not mandatory: it is no fault when nobody listens.
  const events = createListPublisher(publisher, jobEvents, { exchange: exchanges.events, mandatory: false });
  return (job, { event: name, printed = {} } = {}) => {
    const event = eventOf(job, name);
    return events.publish(new Printed(printEvent(event, printJob(job, printed))), addressOf(event));
  };
}
