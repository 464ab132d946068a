import { z } from 'zod';

/** A time span that timers can have. */
export const milliseconds = z
  .number()
  .min(0)
  .max(2 ** 31 - 1);

/**
 * Fills in the defaults of options that are plain values, and checks them.
 *
 * @throws TypeError that names each option at fault
 */
export function parseOptions<Schema extends z.ZodObject>(schema: Schema, given: z.input<Schema>): z.output<Schema> {
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  throw new TypeError(parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '));
}
