import {
  addressOf,
  eventOf,
  jobEvent,
  printEvent,
  printJob,
  type EventName,
  type Job,
  type PrintedMembers,
} from '@offload/jobs';
import { createListPublisher, Printed, type Publisher } from '@offload/messaging';
import { z } from 'zod';
import { exchanges } from './topology.ts';

/**
 * Events of one name that share a message: a CloudEvents batch. Of one job they are in order.
 * https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md#4-json-batch-format
 */
export const jobEvents = {
  type: 'job.events',
  version: 1,
  contentType: 'application/cloudevents-batch+json',
  schema: z.array(jobEvent.schema).min(1),
};

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
