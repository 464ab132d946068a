import { z } from 'zod';

/** What the boss and the workers agree on. */
export const task = { type: 'task', version: 1, schema: z.object({ name: z.string() }) };
export const topology = { queues: { tasks: {} } };
