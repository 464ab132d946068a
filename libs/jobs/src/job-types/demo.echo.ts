import { z } from 'zod';
import { defineJob } from '../definitions/job-definition.ts';

/** Does nothing: what a job costs besides its work, and a first job to try. */
export const demoEcho = defineJob({
  type: 'demo.echo',
  description: 'Gives back its message, and when its handler was called.',
  payload: z.strictObject({ message: z.string().max(100_000).default('hello') }),
  result: z.strictObject({
    message: z.string(),
    calledAtMs: z.number().describe('Milliseconds since 1970 by the clock of its worker, with fractions.'),
  }),
});
