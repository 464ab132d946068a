import { z } from 'zod';

const utcOrOffset = z.iso.datetime({ offset: true });

/**
 * Schema of an RFC 3339 time (section 5.6), in upper or lower case, with any number of decimals. The output is a
 * `Date`, cut to milliseconds. A leap second (second 60) becomes the second that follows, since neither JavaScript nor
 * PostgreSQL has it.
 */
export const time = z
  .string()
  .transform((text, context) => {
    const date = new Date(parse(text));
    if (!Number.isNaN(date.getTime())) return date;
    context.addIssue('must be a time of RFC 3339, as 2026-12-01T08:00:00Z');
    return z.NEVER;
  })
  .meta({ format: 'date-time' });

/** @returns milliseconds since 1970; NaN when the text is not a time */
function parse(text: string): number {
  const upper = text.toUpperCase();
  const isLeap = upper.slice(16, 19) === ':60';
  const plain = isLeap ? `${upper.slice(0, 16)}:59${upper.slice(19)}` : upper;
  // `Date.parse` alone reads 30 February as 2 March.
  return utcOrOffset.safeParse(plain).success ? Date.parse(plain) + (isLeap ? 1_000 : 0) : NaN;
}
