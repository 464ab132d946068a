import type { EventName, Job, JobEvent } from '@offload/contracts';
import { topology, type Publisher } from '@offload/messaging';

/** Sends events; resolves when the broker has confirmed them, and rejects as `Publisher.publish` does. */
export type Announce = (job: Job, event?: EventName) => Promise<void>;

/** @returns a function that broadcasts a job as it is now, as `job.<status>` unless the event is named */
export function announceWith(publisher: Publisher): Announce {
  return (job, event = `job.${job.status}`) => {
    const body: JobEvent = { event, job };
    // Not mandatory: it is no fault when nobody listens.
    return publisher.publish({ exchange: topology.events, type: event, body, mandatory: false });
  };
}
