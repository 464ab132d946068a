import type { SerializedJob } from '@offload/jobs';
import { eventNameOf, eventOf, jobEvent, type EventName, type JobEvent } from '@offload/jobs/events';
import { createListPublisher, RawJson, type Publisher } from '@offload/messaging';
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

/**
 * Sends a job as an event; resolves when the broker has confirmed it, and rejects as `Publisher.publish` does.
 *
 * @param event what happened @default `job.<status>`
 */
export type PublishEvent = (serialized: SerializedJob, event?: EventName) => Promise<void>;

/** @returns a function that broadcasts a job as it is now */
export function publishEventsWith(publisher: Publisher): PublishEvent {
  // Not mandatory: it is no fault when nobody listens.
  const events = createListPublisher(publisher, jobEvents, { exchange: exchanges.events, mandatory: false });
  return ({ job, json }, name) => {
    const event = eventOf(job, name);
    const envelope = JSON.stringify({ ...event, data: undefined });
    return events.publish(new RawJson(`${envelope.slice(0, -1)},"data":${json}}`), addressOf(event));
  };
}

/**
 * What a listener can tell an event by without reading it: AMQP's routing key and, where it is alone in its message, the
 * correlation id.
 */
export function addressOf(event: JobEvent): { routingKey: EventName; correlationId: string } {
  return { routingKey: eventNameOf(event), correlationId: event.subject };
}
