// The door @offload/jobs/events: the events of jobs, as CloudEvents.
export {
  endings,
  eventName,
  eventNameOf,
  eventOf,
  jobEvent,
  jobInEvent,
  type EventName,
  type JobEvent,
} from './job-event.ts';
