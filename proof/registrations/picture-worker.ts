// A user's worker with one job type: `picture-worker.ts TYPE VARIANT`. See run.ts.
import { defineJob } from '@offload/jobs/definitions';
import { handle, type RunnableType, startWorker } from '@offload/worker';
import { z } from 'zod';

const [type = '', variant = ''] = process.argv.slice(2);
const result = z.strictObject({ width: z.int(), version: z.int().describe('Of the worker that ran it.') });

const width = z.int().min(1);
const first = defineJob({ type, description: 'Scales a picture.', payload: z.strictObject({ width }), result });
const second = defineJob({
  ...{ type, version: 2, description: 'Scales a picture.', result },
  payload: z.strictObject({ size: z.strictObject({ width }) }),
  upgrade: (old) => ({ size: old as { width: number } }),
});
const incompatible = defineJob({ ...first, payload: z.strictObject({ width: z.string() }) });

const variants: Record<string, RunnableType> = {
  first: handle(first, async (payload) => ({ width: payload.width, version: 1 })),
  second: handle(second, async ({ size }) => ({ width: size.width, version: 2 })),
  incompatible: handle(incompatible, async () => ({ width: 0, version: 1 })),
};
const handler = variants[variant];
if (!handler) throw new Error(`VARIANT is one of ${Object.keys(variants).join(', ')}`);
await startWorker({ handlers: [handler] });
