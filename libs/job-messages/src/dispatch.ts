import { z } from 'zod';

/** "This job is due": the small message in a queue. Its AMQP `message_id` is the ring id. */
export const ring = {
  type: 'ring',
  version: 1,
  schema: z.object({ jobId: z.uuid(), type: z.string().min(1) }),
};
export type Ring = z.infer<typeof ring.schema>;

/** A ring's id: new with each ring, so that a doubled one is never taken for the one that a worker holds. */
export const ringId = z.uuid();
