import { expect, it } from '@jest/globals';
import { answer, clientOf, serve } from './spec-server.ts';

const info = { type: 'image.resize', version: 1, versions: [] };

it('shows, registers and removes a job type', async () => {
  const server = await serve(answer(200, info), answer(201, info), answer(204));
  const client = clientOf(server);
  expect(await client.jobType('image.resize')).toEqual(info);
  expect(await client.registerJobType('image.resize', { payloadSchema: { type: 'object' } })).toEqual(info);
  await client.removeJobType('a/b');
  expect(server.received.map(({ method, path }) => `${method} ${path}`)).toEqual([
    'GET /v1/job-types/image.resize',
    'PUT /v1/job-types/image.resize',
    'DELETE /v1/job-types/a%2Fb',
  ]);
  expect(server.received[1]?.body).toEqual({ payloadSchema: { type: 'object' } });
});

it('rejects other JSON in place of a job type', async () => {
  await expect(clientOf(await serve(answer(200, { type: 'a' }))).jobType('a')).rejects.toThrow(/no job type$/);
});

it('lists the workers', async () => {
  expect(await clientOf(await serve(answer(200, { workers: [] }))).workers()).toEqual([]);
});

it('drains a worker', async () => {
  const worker = { instance: 'a/b', draining: true };
  const server = await serve(answer(202, worker), answer(202, {}));
  const client = clientOf(server);
  expect(await client.drainWorker('a/b')).toEqual(worker);
  await expect(client.drainWorker('a/b')).rejects.toThrow(/no worker$/);
  expect(server.received.map(({ method, path }) => `${method} ${path}`)).toEqual([
    'POST /v1/workers/a%2Fb/drain',
    'POST /v1/workers/a%2Fb/drain',
  ]);
});
