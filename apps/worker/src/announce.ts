import { addressOf, eventOf, jobEvent, type EventName, type Job } from '@offload/contracts';
import { exchanges, type Publisher } from '@offload/messaging';

/** Sends events; resolves when the broker has confirmed them, and rejects as `Publisher.publish` does. */
export type Announce = (job: Job, event?: EventName) => Promise<void>;

/** @returns a function that broadcasts a job as it is now, as `job.<status>` unless the event is named */
export function announceWith(publisher: Publisher): Announce {
  return (job, event) => {
    const body = eventOf(job, event);
    // Not mandatory: it is no fault when nobody listens.
    return publisher.publish(jobEvent, body, { exchange: exchanges.events, ...addressOf(body), mandatory: false });
  };
}
