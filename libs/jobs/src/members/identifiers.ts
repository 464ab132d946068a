import { z } from 'zod';

/** Schema of a job's id. The output is in lower case, in which ids are compared. */
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
 * Makes the schema of a text that people or programs choose: tags, dedupe keys. All letters of all scripts are allowed,
 * with joiners, marks, variation selectors, the marks U+200E and U+200F, private use, and unassigned code points. Texts
 * are compared without normalisation.
 *
 * It refuses characters that break output or disguise a text:
 * - control characters (C0, DEL, C1): PostgreSQL stores no NUL, and the others break lines and terminals
 * - halves of surrogate pairs, which UTF-8 does not have
 * - the line and paragraph separators U+2028 and U+2029
 * - bidirectional overrides, embeddings and isolates, U+202A-202E and U+2066-2069, which disguise a text as another
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

/** Counts code points. A short text has few enough UTF-16 code units to need no count. */
function hasAtMost(maxLength: number, text: string): boolean {
  if (text.length <= maxLength) return true;
  return text.length <= 2 * maxLength && [...text].length <= maxLength;
}
