import { z } from 'zod';

/** A job's id, in the form in which it is compared. */
export const jobId = z.uuid('must be a UUID').toLowerCase();

/** A queue's name. RabbitMQ's own begins with `jobs.`, as do exchanges, and rights there go by names. */
export const queueName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, 'must be up to 63 of a-z, 0-9, ".", "_" and "-", a letter or digit first')
  .refine(
    (name) => !['dead', 'events', 'events.by-name', 'control'].includes(name),
    'must not be "dead", "events", "events.by-name" or "control": those are exchanges',
  );

/** Text without control characters: PostgreSQL's can't hold NUL, and nobody needs the others here. */
export const plainText = (maxLength: number) =>
  z
    .string()
    .min(1)
    .max(maxLength)
    .regex(/^\P{C}*$/u, 'must not contain control characters');
