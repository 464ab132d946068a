import { z } from 'zod';

/** The dispatch message: it tells a worker that a job is due. Its AMQP `message_id` is the dispatch id. */
export const dispatch = {
  type: 'dispatch',
  version: 1,
  schema: z.object({ jobId: z.uuid(), type: z.string().min(1) }),
};
/** A parsed dispatch message. */
export type Dispatch = z.infer<typeof dispatch.schema>;

/**
 * The id of a dispatch message. Each sending has a new id, so a worker can tell a second message from a redelivered
 * one.
 */
export const dispatchId = z.uuid();
