import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { JobWithLinks } from '@offload/jobs/answers';
import { eventually, manage } from '@offload/spec-kit';
import { startSystem, type System, type SystemProcess, startTarget, type Target } from '@offload/running-system';
import { openEvents, finished, getJob, post, submit } from '@offload/running-system/requests';

let system: System;
let cutOff: SystemProcess;
let api: SystemProcess;
let target: Target;
let accepted: JobWithLinks;

beforeAll(async () => {
  target = await startTarget();
  system = await startSystem();
  cutOff = await system.startApi({ AMQP_URL: 'amqp://offload:offload@127.0.0.1:1' }, 'degraded'); // no broker listens there
});
afterAll(() => {
  target?.close();
  return system?.stop();
});

it('accepts jobs while the broker is away, and is ready but degraded', async () => {
  const ready = await fetch(`${cutOff.url}/readyz`);
  expect(ready.status).toBe(200);
  expect(await ready.json()).toEqual({ status: 'degraded', checks: { database: 'ok', broker: 'connecting' } });

  const response = await post(cutOff, { type: 'demo.sleep', payload: { seconds: 0 } });
  expect(response.status).toBe(202);
  accepted = (await response.json()) as JobWithLinks;
  expect(await getJob(cutOff, accepted.id)).toMatchObject({ status: 'queued', attempt: 0 });
});

it('runs a job whose api was killed between accepting and dispatching it, by the relay of another api', async () => {
  expect(await cutOff.kill('SIGKILL')).toBeNull();
  [api] = await Promise.all([system.startApi(), system.startWorker({ ALLOW_PRIVATE_TARGETS: 'true' })]);

  expect(await finished(api, accepted)).toMatchObject({ status: 'succeeded', attempt: 1, errors: [] });
});

it('loses no job and no final event when the broker cuts every connection', async () => {
  const notifier = await system.startNotifier();
  const job = await submit(api, { type: 'http.request', payload: { url: target.url } });
  await target.next();
  const watching = await openEvents(`${notifier.url}/v1/jobs/${job.id}/events`);

  for (const name of await connections(5)) await manage('DELETE', `/api/connections/${encodeURIComponent(name)}`);
  const during = await submit(api, { type: 'demo.sleep', payload: { seconds: 0 } });
  (await target.next()).answer(200, 'after the cut');

  expect(await finished(api, during)).toMatchObject({ status: 'succeeded' });
  const done = await finished(api, job);
  expect(done).toMatchObject({ status: 'succeeded', attempt: 2, result: { body: 'after the cut' } });
  const events = await watching.until(() => false);
  expect(events.at(-1)).toMatchObject({ event: 'job.succeeded', job: done });
  const versions = events.map(({ job: { version } }) => version);
  expect(versions).toEqual([...new Set(versions)].sort((one, other) => one - other));
});

/** Waits until the broker lists `count` connections, and returns their names. Its management API lags 5 s behind. */
function connections(count: number): Promise<string[]> {
  return eventually(
    async () => {
      const listed = (await manage('GET', `/api/vhosts/${system.vhost}/connections`)) as { name: string }[];
      expect(listed).toHaveLength(count);
      return listed.map(({ name }) => name);
    },
    { timeoutMs: 30_000 },
  );
}
