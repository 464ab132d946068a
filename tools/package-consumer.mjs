// Programs that use the packages outside the repository: a worker of its own, and a shop whose Express app submits
// jobs.
const resize = `import { createClient } from '@offload/client';
import { defineJob, type Payload } from '@offload/jobs/definitions';
import { connect, type Connection } from '@offload/messaging';
import { PermanentError, type Handler } from '@offload/worker';
import { imageSize } from 'image-size';
import { z } from 'zod';

export const imageResize = defineJob({
  type: 'image.resize',
  description: 'Returns the size of a scaled image.',
  payload: z.strictObject({ svg: z.string(), width: z.int().default(100) }),
  result: z.strictObject({ width: z.int(), height: z.int() }),
});

export const resize: Handler<typeof imageResize> = async ({ svg, width }, { progress }) => {
  if (svg === '') throw new PermanentError('no image');
  const size = imageSize(Buffer.from(svg));
  progress(50);
  return { width: width satisfies number, height: Math.round((size.height * width) / size.width) };
};

export async function submit(baseUrl: string, svg: string): Promise<number> {
  const job = await createClient({ baseUrl }).submit(imageResize, { svg });
  const { height } = await job.wait();
  return height;
}

export const width = (payload: Payload<typeof imageResize>): number => payload.width;
export const open = (url: string): Connection => connect({ url });

// @ts-expect-error a result that the definition does not have
export const wrong: Handler<typeof imageResize> = async () => ({ url: '' });
`;

const worker = `import { handle, startWorker } from '@offload/worker';
import { imageResize, resize } from './resize.js';

await startWorker({ handlers: [handle(imageResize, resize)] });
`;

const test = `import { assertSubmitted, createTestOffload, fakeClock, runHandler } from '@offload/testing';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { imageResize, resize } from './resize.js';

const runnable = { definition: imageResize, handler: resize };
const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="400" height="200"/>';
const half = { width: 100, height: 50 };

test('runs a handler', async () => {
  const run = await runHandler(runnable, { svg });
  assert.deepEqual(run.result, half);
  assert.deepEqual(run.progress, [{ percent: 50, message: null }]);
});

test('moves the clock of imported timers too', async (t) => {
  const clock = fakeClock();
  t.after(clock.restore);
  const handler = async () => (await delay(59_000), half);
  const running = runHandler({ definition: imageResize, handler }, { svg });
  await clock.advance(59_000);
  assert.deepEqual((await running).result, half);
});

test('accepts a submitted job', async () => {
  const offload = createTestOffload([runnable], { inline: true });
  const job = await offload.client.submit(imageResize, { svg });
  assert.deepEqual(await job.wait(), half);
  assertSubmitted(offload, imageResize, { svg });
});
`;

const shop = `import { createClient, type Definition } from '@offload/client';
import express from 'express';
import type { AddressInfo } from 'node:net';

type Size = { width: number; height: number };
const imageResize: Definition<{ svg: string; width?: number }, Size> = { type: 'image.resize' };
const offload = createClient({ baseUrl: process.env['OFFLOAD_URL'] ?? '' });

const app = express();
app.use(express.json());
app.post('/avatars', async ({ body }, res) => {
  const job = await offload.submit(imageResize, { svg: body.svg, width: 20 });
  res.status(202).location(\`/avatars/\${job.id}\`).end();
});
app.get('/avatars/:id', async ({ params }, res) => {
  const { width, height } = await offload.job(imageResize, params.id).wait({ timeoutMs: 20_000 });
  res.json({ width, height } satisfies Size);
});
const server = app.listen(0, '127.0.0.1', () => console.log(\`shop at \${(server.address() as AddressInfo).port}\`));
`;

/** The files of each program, and its dependencies beside the packages. Null stands for the version installed here. */
export const consumers = {
  worker: {
    files: { 'resize.ts': resize, 'worker.ts': worker, 'resize.test.ts': test },
    needs: { 'image-size': '2.0.2', zod: null, '@types/node': null },
  },
  shop: { files: { 'shop.ts': shop }, needs: { express: null, '@types/express': null, '@types/node': null } },
};
