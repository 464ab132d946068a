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
  ]),
};
export type Control = z.infer<typeof control.schema>;
