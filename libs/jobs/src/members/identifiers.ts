import { z } from 'zod';

/** A job's id, in the form in which it is compared. */
export const jobId = z.uuid('must be a UUID').toLowerCase();

/** A job type's name. The files of its definition, its handler and their test have this name too. */
export const jobTypeName = z
  .string()
  .max(128, { error: 'must have 128 characters at most', abort: true })
  .regex(
    /^[a-z][a-z0-9]*(-[a-z0-9]+)*(\.[a-z][a-z0-9]*(-[a-z0-9]+)*)+$/,
    'must be two words or more with dots between, each of a-z, 0-9 and "-", a letter first',
  )
  .refine(
    (name) => !/\.(spec|integration)(\.|$)/.test(name),
    'must not have the word "spec" or "integration" behind a dot: a file of that name is a test',
  );

/** A queue's name. RabbitMQ's own begins with `jobs.`, as do exchanges, and rights there go by names. */
export const queueName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, 'must be up to 63 of a-z, 0-9, ".", "_" and "-", a letter or digit first')
  .refine(
    (name) => !['dead', 'events', 'events.by-name', 'control', 'registrations'].includes(name),
    'must not be "dead", "events", "events.by-name", "control" or "registrations": those are exchanges',
  );

/**
 * Text that people or programs give things: tags, dedupe keys. Any letter of any script is allowed, with what holds
 * letters and emoji together (joiners, marks, variation selectors, the marks U+200E and U+200F), private use, and what
 * Unicode assigns later. Texts are compared as they are, without normalisation.
 *
 * Refused is what shows as something else than it is, or breaks what it stands in:
 * - control characters (C0, DEL, C1): PostgreSQL holds no NUL, and the others break lines and terminals
 * - halves of surrogate pairs, which UTF-8 can't write
 * - the line and paragraph separators U+2028 and U+2029
 * - bidirectional overrides, embeddings and isolates, which let a text look like another: U+202A-202E, U+2066-2069
 *
 * @param maxLength in characters (code points), as JSON Schema counts
 */
export const plainText = (maxLength: number) =>
  z
    .string()
    .min(1)
    .refine((text) => hasAtMost(maxLength, text), { error: `must have at most ${maxLength} characters`, abort: true })
    .regex(
      /^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]*$/u,
      'must not contain control characters, line separators, bidirectional overrides or halves of surrogate pairs',
    )
    .meta({ maxLength });

/** A code point has one or two UTF-16 code units: most texts need no count. */
function hasAtMost(maxLength: number, text: string): boolean {
  if (text.length <= maxLength) return true;
  return text.length <= 2 * maxLength && [...text].length <= maxLength;
}
