import { z } from 'zod';
import { defineJob } from '../definitions/job-definition.ts';

/** Sleeps, and reports progress each second: an example of a slow endpoint. */
export const demoSleep = defineJob({
  type: 'demo.sleep',
  description: 'Sleeps for the given number of seconds and reports progress each second.',
  payload: z.strictObject({
    seconds: z.number().min(0).max(3_600).default(10).describe('How long to sleep; fractions are allowed.'),
  }),
  result: z.strictObject({ sleptMs: z.number().nonnegative() }),
  policy: { timeoutMs: 3_700_000 },
});
