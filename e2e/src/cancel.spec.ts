import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { JobWithLinks } from '@offload/jobs/answers';
import {
  startSystem,
  type System,
  type SystemProcess,
  startTarget,
  type Call,
  type Target,
} from '@offload/running-system';
import { openEvents, finished, getJob, submit } from '@offload/running-system/requests';

let system: System;
let api: SystemProcess;
let workers: SystemProcess[];
let target: Target;

beforeAll(async () => {
  target = await startTarget();
  system = await startSystem();
  const start = () => system.startWorker({ ALLOW_PRIVATE_TARGETS: 'true' });
  [api, ...workers] = await Promise.all([system.startApi(), start(), start()]);
});
afterAll(() => {
  target?.close();
  return system?.stop();
});

const cancel = (id: string) => fetch(`${api.url}/v1/jobs/${id}/cancel`, { method: 'POST' });

it('stops a running job on its worker, and sends the event to watchers', async () => {
  const notifier = await system.startNotifier();
  const running: { job: JobWithLinks; call: Call }[] = [];
  while (running.length < 4) {
    const job = await submit(api, { type: 'http.request', payload: { url: target.url } });
    running.push({ job, call: await target.next() });
  }
  const watching = await Promise.all(running.map(({ job }) => openEvents(`${notifier.url}/v1/jobs/${job.id}/events`)));

  for (const { job, call } of running) {
    const response = await cancel(job.id);
    expect([response.status, (await response.json()) as JobWithLinks]).toMatchObject([202, { status: 'running' }]);
    await call.closed; // the handler's signal has aborted its request
    expect(await finished(api, job)).toMatchObject({ status: 'cancelled', attempt: 1, error: null, result: null });
  }
  for (const stream of watching) {
    expect((await stream.until(() => false)).at(-1)?.event).toBe('job.cancelled');
  }
});

it('cancels a scheduled job, which then never runs', async () => {
  const { id } = await submit(api, { type: 'http.request', payload: { url: target.url }, delayMs: 300 });
  expect((await cancel(id)).status).toBe(200);
  const requests = target.requests;
  const after = await submit(api, { type: 'demo.sleep', payload: { seconds: 0 }, delayMs: 600 });
  await finished(api, after);
  expect(await getJob(api, id)).toMatchObject({ status: 'cancelled', attempt: 0 });
  expect(target.requests).toBe(requests);
});

it('finishes a job as cancelled when its worker dies before it gets the request', async () => {
  const [job, call] = [await submit(api, { type: 'http.request', payload: { url: target.url } }), await target.next()];
  const exits = workers.map((worker) => worker.kill('SIGKILL'));
  await call.closed;
  await cancel(job.id);
  await Promise.all(exits);
  await system.startWorker({ ALLOW_PRIVATE_TARGETS: 'true' });
  expect(await finished(api, job)).toMatchObject({ status: 'cancelled', attempt: 1, error: null });
});
