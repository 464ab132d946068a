import { z } from 'zod';
import { defineJob } from '../definitions/job-definition.ts';

/** Returns its message. Use it as a first job, or to measure the cost of a job without work. */
export const demoEcho = defineJob({
  type: 'demo.echo',
  description: 'Returns its message, and the time when its handler was called.',
  payload: z.strictObject({ message: z.string().max(100_000).default('hello') }),
  result: z.strictObject({
    message: z.string(),
    calledAtMs: z.number().describe('Milliseconds since 1970 by the clock of its worker, with fractions.'),
  }),
});
