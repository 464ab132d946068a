import { z } from 'zod';

/** A time span in milliseconds that Node.js timers accept. */
export const milliseconds = z
  .number()
  .min(0)
  .max(2 ** 31 - 1);

/**
 * Fills in the defaults of plain options, and checks them.
 *
 * @throws TypeError that names each wrong option
 */
export function parseOptions<Schema extends z.ZodObject>(schema: Schema, given: z.input<Schema>): z.output<Schema> {
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  throw new TypeError(parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '));
}
