import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { JobWithLinks } from '@offload/jobs/answers';
import { startSystem, type System, startTarget, type Target } from '@offload/running-system';
import { finished, submit } from '@offload/running-system/requests';

let system: System;
let target: Target;

beforeAll(async () => {
  [system, target] = await Promise.all([startSystem(), startTarget()]);
});
afterAll(() => {
  target?.close();
  return system?.stop();
});

it('answers the current request of an api after SIGTERM', async () => {
  const api = await system.startApi();
  const body = JSON.stringify({ type: 'demo.sleep', payload: { seconds: 0 } });
  const socket = connect(Number(new URL(api.url).port), '127.0.0.1');
  await once(socket, 'connect');
  const head = `POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n`;
  // The api has the request when it asks for the body.
  socket.write(`${head}Expect: 100-continue\r\n\r\n`);
  expect(String((await once(socket, 'data'))[0])).toMatch(/^HTTP\/1\.1 100 /);

  const exit = api.kill('SIGTERM');
  await api.line(({ msg }) => msg === 'stopping');
  socket.write(body);
  const answer = Buffer.concat(await socket.toArray()).toString();
  expect(answer).toMatch(/^HTTP\/1\.1 202 /);
  expect(await exit).toBe(0);

  const other = await system.startApi();
  const worker = await system.startWorker();
  const job = JSON.parse(answer.slice(answer.indexOf('\r\n\r\n'))) as JobWithLinks;
  expect(await finished(other, job)).toMatchObject({ status: 'succeeded' });
  await Promise.all([other.kill('SIGTERM'), worker.kill('SIGTERM')]);
});

it('waits for incomplete requests no longer than its grace, and exits with 0', async () => {
  const api = await system.startApi({ SHUTDOWN_GRACE_MS: '200' });
  const sockets = ['POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nhalf', 'GET /v1/jo'].map(
    (text) => {
      const socket = connect(Number(new URL(api.url).port), '127.0.0.1', () => socket.write(text));
      socket.on('error', () => undefined);
      return socket;
    },
  );
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  expect((await fetch(`${api.url}/healthz`)).status).toBe(200); // the api has read the earlier requests
  expect(await api.kill('SIGTERM')).toBe(0);
  for (const socket of sockets) socket.destroy();
});

it('sends watchers away when a notifier stops, each with its own time to reconnect', async () => {
  const notifier = await system.startNotifier();
  const responses = await Promise.all([1, 2, 3, 4, 5].map(() => fetch(`${notifier.url}/v1/events`)));
  expect(await notifier.kill('SIGTERM')).toBe(0);
  const texts = await Promise.all(responses.map((response) => response.text()));
  const retries = texts.map((text) => Number(/retry: (\d+)\n\n$/.exec(text)?.[1]));
  for (const retryMs of retries) expect(retryMs >= 500 && retryMs <= 5_000).toBe(true);
  expect(new Set(retries).size).toBeGreaterThan(1);
});

it('ends a worker at once at the second signal, and another worker runs its jobs', async () => {
  const api = await system.startApi();
  const start = () => system.startWorker({ ALLOW_PRIVATE_TARGETS: 'true', SHUTDOWN_GRACE_MS: '600000' });
  const worker = await start();
  const job = await submit(api, { type: 'http.request', payload: { url: target.url } });
  await target.next();
  const exit = worker.kill('SIGTERM');
  await worker.line(({ msg }) => msg === 'stopping');
  void worker.kill('SIGTERM');
  expect(await exit).toBe(1);

  await start();
  (await target.next()).answer(200, 'from another');
  expect(await finished(api, job)).toMatchObject({
    status: 'succeeded',
    attempt: 2,
    errors: [{ code: 'worker-lost' }],
  });
});
