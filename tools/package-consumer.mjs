// A program that uses the packages, as one outside the repository would: a handler, what submits its jobs, and their test.
const resize = `import { createClient } from '@offload/client';
import { defineJob, type Payload } from '@offload/jobs/definitions';
import { connect, type Connection } from '@offload/messaging';
import { PermanentError, type Handler } from '@offload/worker';
import { z } from 'zod';

export const imageResize = defineJob({
  type: 'image.resize',
  description: 'Says how large an image will be.',
  payload: z.strictObject({ path: z.string(), width: z.int().default(100) }),
  result: z.strictObject({ path: z.string() }),
});

export const resize: Handler<typeof imageResize> = async ({ path, width }, { progress }) => {
  if (path === '') throw new PermanentError('no path');
  progress(50);
  return { path: \`\${path}@\${width satisfies number}\` };
};

export async function submit(baseUrl: string): Promise<string> {
  const job = await createClient({ baseUrl }).submit(imageResize, { path: 'a.png' });
  const { path } = await job.wait();
  return path;
}

export const width = (payload: Payload<typeof imageResize>): number => payload.width;
export const open = (url: string): Connection => connect({ url });

// @ts-expect-error a result that the definition does not have
export const wrong: Handler<typeof imageResize> = async () => ({ url: '' });
`;

const test = `import { assertSubmitted, createTestOffload, fakeClock, runHandler } from '@offload/testing';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { imageResize, resize } from './resize.js';

const runnable = { definition: imageResize, handler: resize };

test('runs a handler', async () => {
  const run = await runHandler(runnable, { path: 'a.png' });
  assert.equal(run.result?.path, 'a.png@100');
  assert.deepEqual(run.progress, [{ percent: 50, message: null }]);
});

test('moves the clock of timers that are imported, too', async (t) => {
  const clock = fakeClock();
  t.after(clock.restore);
  const handler = async () => (await delay(59_000), { path: 'late' });
  const running = runHandler({ definition: imageResize, handler }, { path: 'a.png' });
  await clock.advance(59_000);
  assert.equal((await running).result?.path, 'late');
});

test('takes what is submitted', async () => {
  const offload = createTestOffload([runnable], { inline: true });
  const job = await offload.client.submit(imageResize, { path: 'a.png' });
  assert.equal((await job.wait()).path, 'a.png@100');
  assertSubmitted(offload, imageResize, { path: 'a.png' });
});
`;

/** Its files, by name. */
export const program = { 'resize.ts': resize, 'resize.test.ts': test };
