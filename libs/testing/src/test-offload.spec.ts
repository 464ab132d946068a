import { expect, it } from '@jest/globals';
import { JobFailedError, OffloadProblem } from '@offload/client';
import { defineJob } from '@offload/jobs/definitions';
import { SnoozeError } from '@offload/worker';
import { z } from 'zod';
import { assertSubmitted } from './assert-submitted.ts';
import { definition, handler } from './spec-thumbnail.ts';
import { createTestOffload } from './test-offload.ts';

const other = defineJob({ type: 'spec.other', description: 'Other.', payload: z.string(), result: z.null() });

it('stores a submitted job, and does not run it', async () => {
  const offload = createTestOffload([{ definition, handler }, { definition: other }]);
  const job = await offload.client.submit(definition, { path: 'a.png' }, { tags: ['x'], priority: 9, delayMs: 60_000 });
  await offload.client.submitBatch([
    [other, 'one'],
    [definition, { path: 'b.png', width: 5 }],
  ]);
  expect(job.snapshot).toMatchObject({ status: 'scheduled', payload: { path: 'a.png', width: 100 }, tags: ['x'] });
  expect(offload.jobs.map(({ payload }) => payload)).toEqual([
    { path: 'a.png', width: 100 },
    'one',
    { path: 'b.png', width: 5 },
  ]);
});

it('finds a submitted job by members of its payload', async () => {
  const offload = createTestOffload([{ definition }, { definition: other }]);
  await offload.client.submit(other, 'one');
  expect(() => assertSubmitted(offload, definition)).toThrow('no spec.thumbnail was submitted; submitted: spec.other');
  await offload.client.submit(definition, { path: 'a.png' });
  expect(assertSubmitted(offload, definition, { path: 'a.png' })).toBe(offload.jobs[1]);
  expect(() => assertSubmitted(offload, definition, { path: 'b.png' })).toThrow(
    'with {"path":"b.png"}; submitted: {"path":"a.png","width":100}',
  );
});

it('runs a job inline, before its submission is answered', async () => {
  const offload = createTestOffload([{ definition, handler }], { inline: true });
  const job = await offload.client.submit(definition, { path: 'a.png' });
  expect(await job.wait()).toEqual({ path: 'a.png@100' });
  expect(job.snapshot).toMatchObject({ attempt: 1, progress: { percent: 100 }, error: null });
});

it('drains: retries without a pause until a job is finished, with its errors', async () => {
  const failing = { definition, handler: () => Promise.reject(new Error('disk')) };
  const offload = createTestOffload([failing]);
  const job = await offload.client.submit(definition, { path: 'a.png' });
  await offload.drain();
  await expect(job.wait()).rejects.toThrow(JobFailedError);
  expect(job.snapshot).toMatchObject({
    attempt: 3,
    error: { message: 'disk' },
    errors: [{ attempt: 1 }, { attempt: 2 }],
  });
});

it('drains jobs that a handler submits, and runs a job that snoozes once', async () => {
  let runs = 0;
  const offload = createTestOffload([
    { definition, handler: async () => (await offload.client.submit(other, 'next'), { path: '' }) },
    {
      definition: other,
      async handler() {
        runs += 1;
        throw new SnoozeError(1_000);
      },
    },
  ]);
  await offload.client.submit(definition, { path: 'a.png' });
  await offload.drain();
  expect(runs).toBe(1);
  expect(offload.jobs.map(({ status }) => status)).toEqual(['succeeded', 'scheduled']);
});

it('answers with the unfinished job of the same dedupe key', async () => {
  const offload = createTestOffload([{ definition, handler }]);
  const submit = () => offload.client.submit(definition, { path: 'a.png' }, { dedupeKey: 'a' });
  const [first, second] = [await submit(), await submit()];
  expect([second.id, second.deduplicated]).toEqual([first.id, true]);
  await offload.drain();
  expect((await submit()).deduplicated).toBe(false);
});

it('refuses like the api, and answers 501 to other calls', async () => {
  const { client } = createTestOffload([{ definition }]);
  const wrong = await client.submit('spec.thumbnail', { path: 5 }).catch((error: unknown) => error);
  expect(wrong).toMatchObject({ status: 400, errors: [{ pointer: '/payload/path' }] });
  await expect(client.submit('spec.unknown', {})).rejects.toThrow(OffloadProblem);
  await expect(client.queues()).rejects.toMatchObject({ status: 501 });
  await expect(client.get(crypto.randomUUID())).rejects.toMatchObject({ status: 404 });
});

it('cancels a queued job, but not a finished one', async () => {
  const { client, drain } = createTestOffload([{ definition, handler }]);
  const job = await client.submit(definition, { path: 'a.png' });
  expect(await job.cancel()).toMatchObject({ status: 'cancelled' });
  await drain();
  await expect(job.cancel()).rejects.toMatchObject({ status: 409 });
});
