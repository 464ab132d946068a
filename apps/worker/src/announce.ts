import { addressOf, eventOf, jobEvents, type EventName, type Job } from '@offload/contracts';
import { createListPublisher, exchanges, type Publisher } from '@offload/messaging';

/** Sends events; resolves when the broker has confirmed them, and rejects as `Publisher.publish` does. */
export type Announce = (job: Job, event?: EventName) => Promise<void>;

/** @returns a function that broadcasts a job as it is now, as `job.<status>` unless the event is named */
export function announceWith(publisher: Publisher): Announce {
  // Not mandatory: it is no fault when nobody listens.
  const events = createListPublisher(publisher, jobEvents, { exchange: exchanges.events, mandatory: false });
  return (job, name) => {
    const event = eventOf(job, name);
    return events.publish(event, addressOf(event));
  };
}
