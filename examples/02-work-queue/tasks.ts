import { z } from 'zod';

/** The message and the topology that boss and workers share. */
export const task = { type: 'task', version: 1, schema: z.object({ name: z.string() }) };
export const topology = { queues: { tasks: {} } };
