import { jobId } from '@offload/jobs';
import { z } from 'zod';

/** What the api tells every worker; whoever it does not concern ignores it. */
export const control = {
  type: 'control',
  version: 1,
  schema: z.discriminatedUnion('command', [
    /** Whoever runs this job is to stop it. */
    z.object({ command: z.literal('cancel'), jobId }),
    /** Say in the database which jobs you hold. */
    z.object({ command: z.literal('liveness-check') }),
    /** The worker of this name is to take no new jobs, to finish those that it has, and to end. */
    z.object({ command: z.literal('drain'), instance: z.string() }),
  ]),
};
export type Control = z.infer<typeof control.schema>;
