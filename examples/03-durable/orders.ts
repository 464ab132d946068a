import { z } from 'zod';

/** The message and the topology that waiter and cooks share. */
export const order = { type: 'order', version: 1, schema: z.object({ dish: z.string() }) };
export const topology = { queues: { orders: {} } };
