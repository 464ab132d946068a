import { z } from 'zod';

/** What the waiter and the cooks agree on. */
export const order = { type: 'order', version: 1, schema: z.object({ dish: z.string() }) };
export const topology = { queues: { orders: {} } };
