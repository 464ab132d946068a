import { z } from 'zod';

/** A job's id, in the form in which it is compared. */
export const jobId = z.uuid('must be a UUID').toLowerCase();

/** A queue's name; RabbitMQ's own begins with `jobs.`, where `dead` is taken by the dead letters. */
export const queueName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, 'must be up to 63 of a-z, 0-9, ".", "_" and "-", a letter or digit first')
  .refine((name) => name !== 'dead', 'must not be "dead": the dead letters are there');
