import type { SerializedJob } from '@offload/jobs';
import { eventNameOf, eventOf, jobEvent, type EventName, type JobEvent } from '@offload/jobs/events';
import { createListPublisher, RawJson, type Publisher } from '@offload/messaging';
import { z } from 'zod';
import { exchanges } from './topology.ts';

/**
 * A message of one or more events with the same name, as a CloudEvents batch. Events of one job are in their order.
 * https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md#4-json-batch-format
 */
export const jobEvents = {
  type: 'job.events',
  version: 1,
  contentType: 'application/cloudevents-batch+json',
  schema: z.array(jobEvent.schema).min(1),
};

/**
 * Publishes a job as an event. Resolves when the broker has confirmed it, and rejects as `Publisher.publish` does.
 *
 * @param event what happened @default `job.<status>`
 */
export type PublishEvent = (serialized: SerializedJob, event?: EventName) => Promise<void>;

/**
 * Makes a function that publishes a job, with its present values, to all event listeners.
 *
 * @example
 * ```ts
 * const publishEvent = publishEventsWith(createPublisher(connection));
 * await publishEvent(serialized);
 * ```
 */
export function publishEventsWith(publisher: Publisher): PublishEvent {
  // Not mandatory: an event without a listener is no fault.
  const events = createListPublisher(publisher, jobEvents, { exchange: exchanges.events, mandatory: false });
  return ({ job, json }, name) => {
    const event = eventOf(job, name);
    const envelope = JSON.stringify({ ...event, data: undefined });
    return events.publish(new RawJson(`${envelope.slice(0, -1)},"data":${json}}`), addressOf(event));
  };
}

/**
 * The routing key and correlation id of an event's message. A listener can filter events by them without reading the
 * body. A message with several events carries no correlation id.
 */
export function addressOf(event: JobEvent): { routingKey: EventName; correlationId: string } {
  return { routingKey: eventNameOf(event), correlationId: event.subject };
}
