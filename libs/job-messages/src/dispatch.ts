import { z } from 'zod';

/** "This job is due": the small message in a queue. Its AMQP `message_id` is the dispatch id. */
export const dispatch = {
  type: 'dispatch',
  version: 1,
  schema: z.object({ jobId: z.uuid(), type: z.string().min(1) }),
};
export type Dispatch = z.infer<typeof dispatch.schema>;

/** A dispatch message's id: new with each dispatch message, so that a doubled one is never taken for the one that a worker holds. */
export const dispatchId = z.uuid();
