import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { eventually } from '@offload/spec-kit';
import {
  type Environment,
  startSystem,
  type System,
  type SystemProcess,
  startTarget,
  type Target,
} from '@offload/running-system';
import { finished, getJob, holderOf, metric, submit } from '@offload/running-system/requests';

let system: System;
let api: SystemProcess;
let target: Target;
let workers: SystemProcess[] = [];

beforeAll(async () => {
  system = await startSystem();
  api = await system.startApi();
});
beforeEach(async () => {
  target = await startTarget();
});
afterEach(async () => {
  target.close();
  await Promise.all(workers.map((worker) => worker.kill('SIGKILL')));
});
afterAll(() => system?.stop());

async function twoWorkers(env: Environment = {}): Promise<void> {
  const start = () => system.startWorker({ WORKER_CONCURRENCY: '1', ALLOW_PRIVATE_TARGETS: 'true', ...env });
  workers = await Promise.all([start(), start()]);
}

function faults({ log }: SystemProcess) {
  return log.filter(({ level }) => level === 'error' || level === 'fatal');
}

/** Submits a job that calls the target, and waits for its call. */
async function submitCall() {
  const job = await submit(api, { type: 'http.request', payload: { url: target.url }, maxAttempts: 2 });
  return { job, call: await target.next(), worker: await holderOf(workers) };
}

it('shares ten jobs five and five between two workers that run one at a time', async () => {
  await twoWorkers();
  const submissions = Array.from({ length: 10 }, () =>
    submit(api, { type: 'demo.sleep', payload: { seconds: 1 }, maxAttempts: 1 }),
  );
  const jobs = await Promise.all((await Promise.all(submissions)).map((job) => finished(api, job)));

  expect(jobs.map(({ status }) => status)).toEqual(Array(10).fill('succeeded'));
  const claimed = workers.map((worker) => metric(worker, 'offload_deliveries_total{claim="claimed"}'));
  expect(await Promise.all(claimed)).toEqual([5, 5]);
});

it('runs the job of a killed worker on the other one, whose result counts', async () => {
  await twoWorkers();
  const { job, worker } = await submitCall();
  expect(await worker.kill('SIGKILL')).toBeNull();

  (await target.next()).answer(200, 'from the second attempt');
  const done = await finished(api, job);
  expect(done).toMatchObject({ status: 'succeeded', attempt: 2, error: null });
  expect(done.errors).toEqual([expect.objectContaining({ code: 'worker-lost', attempt: 1 })]);
  expect((done.result as { body: string }).body).toBe('from the second attempt');
  const other = workers.find((each) => each !== worker) as SystemProcess;
  expect(await metric(other, 'offload_deliveries_total{claim="takeover"}')).toBe(1);
});

it('fails a job whose last attempt was lost with its worker, and charges no attempt to the jobs that waited behind it', async () => {
  await twoWorkers();
  const first = await submitCall();
  const behind = await Promise.all(
    [1, 2, 3, 4, 5].map(() => submit(api, { type: 'demo.sleep', payload: { seconds: 0 }, maxAttempts: 1 })),
  );
  await first.worker.kill('SIGKILL');
  await target.next();
  workers = [workers.find((worker) => worker !== first.worker) as SystemProcess];
  await workers[0]?.kill('SIGKILL');
  workers = [await system.startWorker({ ALLOW_PRIVATE_TARGETS: 'true' })];

  const done = await finished(api, first.job);
  expect(done).toMatchObject({
    status: 'failed',
    attempt: 2,
    result: null,
    error: { code: 'worker-lost', attempt: 2 },
  });
  expect(done.errors).toEqual([expect.objectContaining({ code: 'worker-lost', attempt: 1 })]);
  expect(target.requests).toBe(2);
  for (const job of await Promise.all(behind.map((each) => finished(api, each)))) {
    expect(job).toMatchObject({ status: 'succeeded', attempt: 1, errors: [] });
  }
});

it('lets a worker finish its job after SIGTERM, and exits with code 0', async () => {
  await twoWorkers();
  const dispatchesSent = 'offload_dispatches_total{outcome="confirmed"}';
  const dispatchesBefore = await metric(api, dispatchesSent);
  const { job, call, worker } = await submitCall();
  const exit = worker.kill('SIGTERM');
  await worker.line(({ msg }) => msg === 'stopping');
  call.answer(200, 'just in time');

  expect(await exit).toBe(0);
  expect(await getJob(api, job.id)).toMatchObject({
    status: 'succeeded',
    attempt: 1,
    result: { body: 'just in time' },
  });
  expect(faults(worker)).toEqual([]);
  // The worker has acknowledged the dispatch message, so the other worker, which is next, has not seen it. It may have
  // seen a second one for the same job, which the relay sends when the confirm of the first takes long.
  await finished(api, await submit(api, { type: 'demo.sleep', payload: { seconds: 0 } }));
  const other = workers.find((each) => each !== worker) as SystemProcess;
  await eventually(async () => {
    const doubled = (await metric(api, dispatchesSent)) - dispatchesBefore - 2;
    expect(doubled).toBeGreaterThanOrEqual(0); // the metric counts a dispatch message when it has left the outbox, a little later
    expect(await metric(other, 'offload_deliveries_total{claim="refused"}')).toBeLessThanOrEqual(doubled);
  });
});

it('requeues a long job when its worker stops, without counting the attempt, and the other worker runs it', async () => {
  await twoWorkers({ SHUTDOWN_GRACE_MS: '100' });
  const { job, worker } = await submitCall();
  expect(await worker.kill('SIGTERM')).toBe(0);

  (await target.next()).answer(200, 'from the other worker');
  const done = await finished(api, job);
  expect(done).toMatchObject({ status: 'succeeded', attempt: 2, maxAttempts: 3, errors: [] });
  expect(done.result).toMatchObject({ body: 'from the other worker' });
  expect(faults(worker)).toEqual([]);
});
