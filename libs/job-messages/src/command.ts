import { jobId } from '@offload/jobs';
import { z } from 'zod';

/** A command from the api to all workers. A worker ignores commands about jobs that it does not hold. */
export const control = {
  type: 'control',
  version: 1,
  schema: z.discriminatedUnion('command', [
    /** The worker that runs this job cancels it. */
    z.object({ command: z.literal('cancel'), jobId }),
    /** Every worker writes into the database which jobs it holds. */
    z.object({ command: z.literal('liveness-check') }),
    /** The worker of this name is to take no new jobs, to finish those that it has, and to end. */
    z.object({ command: z.literal('drain'), instance: z.string() }),
  ]),
};
/** A parsed command. */
export type Control = z.infer<typeof control.schema>;
