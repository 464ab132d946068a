import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { createClient, type Client } from '@offload/client';
import { startProgram, startSystem, type System, type SystemProcess } from '@offload/running-system';

let system: System;
let apis: SystemProcess[];
let clients: Client[];
beforeAll(async () => {
  system = await startSystem();
  apis = await Promise.all([system.startApi(), system.startApi()]);
  clients = apis.map(({ url }) => createClient({ baseUrl: url }));
});
afterAll(() => system?.stop());

const [one, other] = [() => clients[0] as Client, () => clients[1] as Client];

it('a type that one api has registered is known to all others at once', async () => {
  const payloadSchema = { type: 'object', properties: { width: { type: 'integer', default: 640 } } };
  await one().registerJobType('image.resize', { payloadSchema });
  const job = await other().submit('image.resize', {});
  expect(job.snapshot).toMatchObject({ type: 'image.resize', payload: { width: 640 }, status: 'queued' });
  await expect(one().removeJobType('image.resize')).rejects.toMatchObject({ slug: 'job-type-in-use' });
});

it('a worker with other schemas than the registered ones names the differences, and ends', async () => {
  await one().removeJobType('demo.echo');
  await one().registerJobType('demo.echo', { payloadSchema: { type: 'array' } });
  const refused =
    /demo\.echo, version 1: .*\/payloadSchema\/type is \\"object\\", and \\"array\\" where it is registered/;
  await expect(system.startWorker()).rejects.toThrow(refused);
  expect(await one().workers()).toEqual([]);
  await one().removeJobType('demo.echo');
});

it('an api accepts a type whose worker was killed after the registration', async () => {
  await one().removeJobType('demo.sleep');
  const nowhere = { AMQP_URL: 'amqp://127.0.0.1:1', WORKER_PORT: '0' };
  const worker = startProgram('apps/worker/src/main.ts', { ...system.environment, ...nowhere });
  await worker.line(({ msg }) => msg === 'job types registered');
  await worker.kill('SIGKILL');
  for (const client of clients) await expect(client.submit('demo.sleep', { seconds: 0 })).resolves.toBeDefined();
});

it('a ready worker is listed with its types, which stay listed after a kill', async () => {
  const worker = await system.startWorker({ INSTANCE: 'killed' });
  const known = (await other().workers()).find(({ instance }) => instance === 'killed');
  expect(known).toMatchObject({ queues: ['default'], slots: 10, draining: false });
  expect(await other().jobType('demo.echo')).toMatchObject({ workers: expect.arrayContaining(['killed']) });
  await worker.kill('SIGKILL');
  const { id } = await other().submit('demo.echo', {});
  expect(await one().get(id)).toMatchObject({ id });
});

it('a worker that has ended is not listed any more', async () => {
  const worker = await system.startWorker({ INSTANCE: 'ended' });
  expect(await worker.kill('SIGTERM')).toBe(0);
  expect((await one().workers()).map(({ instance }) => instance)).not.toContain('ended');
});
