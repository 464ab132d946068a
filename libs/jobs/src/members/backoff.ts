import { z } from 'zod';

/** Schema of a back-off in a request. Members that are omitted are those of the default policy. */
export const backoff = z.strictObject({
  baseMs: z.int().min(0).max(86_400_000).default(1_000),
  factor: z.number().min(1).max(10).default(2),
  maxMs: z.int().min(0).max(86_400_000).default(300_000),
});
