import { z } from 'zod';
import { jobId } from './identifiers.ts';
import { job, jobStatus, type Job } from './job.ts';

// The messages between the processes, as @offload/messaging sends and reads them: AMQP's `type`, the version of the
// schema, and the schema.

/** "This job is due": the small message in a queue. Its AMQP `message_id` is the ring id. */
export const ring = {
  type: 'ring',
  version: 1,
  schema: z.object({ jobId: z.uuid(), type: z.string().min(1) }),
};
export type Ring = z.infer<typeof ring.schema>;

/** A ring's id: new with each ring, so that a doubled one is never taken for the one that a worker holds. */
export const ringId = z.uuid();

/** What happened: the job's new status, or `progress` of a running one. */
export const eventName = z.templateLiteral(['job.', z.union([jobStatus, z.literal('progress')])]);
export type EventName = z.infer<typeof eventName>;

/** A snapshot of a job after a transition; newer than another of the same job when its `job.version` is higher. */
export const jobEvent = {
  type: 'job.event',
  version: 1,
  schema: z.object({ event: eventName, job }),
};
export type JobEvent = z.infer<typeof jobEvent.schema>;

/** @returns what happened to a job that is now as given: `job.<status>`, unless it is named */
export function eventOf(job: Job, event: EventName = `job.${job.status}`): JobEvent {
  return { event, job };
}

/** What the api tells every worker; whoever it does not concern ignores it. */
export const control = {
  type: 'control',
  version: 1,
  schema: z.discriminatedUnion('command', [
    /** Whoever runs this job is to stop it. */
    z.object({ command: z.literal('cancel'), jobId }),
    /** Say in the database which jobs you hold. */
    z.object({ command: z.literal('roll-call') }),
  ]),
};
export type Control = z.infer<typeof control.schema>;
