import { defineJob } from '@offload/jobs/definitions';
import type { Handler } from '@offload/worker';
import { z } from 'zod';

/** The job type of the specs. */
export const definition = defineJob({
  type: 'spec.thumbnail',
  description: 'Returns the path of a thumbnail.',
  payload: z.strictObject({ path: z.string(), width: z.int().default(100) }),
  result: z.strictObject({ path: z.string() }),
  policy: { timeoutMs: 5_000, maxAttempts: 3 },
});

/** The handler of the specs. */
export const handler: Handler<typeof definition> = async ({ path, width }, { progress, log }) => {
  log.info({ width }, 'scaling');
  progress(150, 'half');
  return { path: `${path}@${width}` };
};
