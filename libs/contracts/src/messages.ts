import { z } from 'zod';
import { job, jobStatus } from './job.ts';

/** "This job is due": the small message in a queue. Its AMQP `message_id` is the ring id. */
export const ring = z.object({ jobId: z.uuid(), type: z.string().min(1) });
export type Ring = z.infer<typeof ring>;

/** What happened: the job's new status, or `progress` of a running one. */
export const eventName = z.templateLiteral(['job.', z.union([jobStatus, z.literal('progress')])]);
export type EventName = z.infer<typeof eventName>;

/** A snapshot of a job after a transition; newer than another of the same job when its `job.version` is higher. */
export const jobEvent = z.object({ event: eventName, job });
export type JobEvent = z.infer<typeof jobEvent>;
