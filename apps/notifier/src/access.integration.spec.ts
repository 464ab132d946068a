import { randomUUID } from 'node:crypto';
import { connect as connectSocket } from 'node:net';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { createEventTokens, serviceVariables } from '@offload/access';
import { newApiKey } from '@offload/access/secrets';
import { type Database, migrate, openDatabase } from '@offload/database';
import { listen } from '@offload/http';
import { jobTopology } from '@offload/job-messages';
import type { Job } from '@offload/jobs';
import { defaultPolicy } from '@offload/jobs/definitions';
import { eventOf } from '@offload/jobs/events';
import { connect, type Connection } from '@offload/messaging';
import { createLogger, createMetrics } from '@offload/process';
import { eventually, freshDatabaseUrl, freshVhost } from '@offload/spec-kit';
import { createApp } from './app.ts';
import { createHub, type Hub } from './browsers/hub.ts';

/** So short that a stream under the server's limits for requests would be cut during a test. */
const REQUEST_TIMEOUT_MS = 200;

const [reader, submitter] = [newApiKey('reader', ['read']), newApiKey('submitter', ['submit', 'manage'])] as const;
const secret = 'a-secret-of-the-notifier-and-the-api';
const tokens = createEventTokens([secret]);
const page = 'https://app.example';
const bearer = ({ key }: { key: string }) => ({ Authorization: `Bearer ${key}` });

let database: Database;
let vhost: Awaited<ReturnType<typeof freshVhost>>;
let broker: Connection;
let hub: Hub;
let server: Awaited<ReturnType<typeof listen>>;
/** The same notifier, with little time for requests. */
let hasty: Awaited<ReturnType<typeof listen>>;
let base: string;
let job: Job;

beforeAll(async () => {
  const url = freshDatabaseUrl();
  await migrate(url);
  vhost = await freshVhost();
  database = openDatabase({ url });
  broker = connect({ url: vhost.amqpUrl, topology: jobTopology([]) });
  await broker.opened;
  const metrics = createMetrics();
  hub = createHub(metrics, 'http://notifier.test');
  const log = createLogger('notifier', { level: 'silent', instance: 'spec' });
  const keys = serviceVariables.API_KEYS.parse(`${reader.entry},${submitter.entry}`);
  const app = createApp({
    ...{ database, broker, hub, metrics, log, notifierUrl: 'http://notifier.test' },
    ...{ keys, eventTokenSecrets: [secret], corsOrigins: [page] },
  });
  server = await listen(app, { host: '127.0.0.1', port: 0 });
  hasty = await listen(app, { host: '127.0.0.1', port: 0, requestTimeoutMs: REQUEST_TIMEOUT_MS });
  base = `http://127.0.0.1:${server.port}`;
  job = await queuedJob();
});

afterAll(async () => {
  hub.close();
  await Promise.all([server.close(0), hasty.close(0)]);
  await broker.close();
  await database.close();
  await vhost.remove();
});

async function queuedJob(): Promise<Job> {
  const { maxAttempts, timeoutMs, backoff, queue } = defaultPolicy;
  const rest = { priority: 0, maxAttempts, timeoutMs, backoff, delayMs: 0, runAt: null };
  const made = await database.jobs.create({
    id: randomUUID(),
    type: 'spec.job',
    queue,
    tags: [],
    payload: {},
    ...rest,
  });
  return made.job;
}

const paths = (): string[] => ['/v1/events', `/v1/jobs/${job.id}/events`];

it('shows events only to clients with the scope read', async () => {
  for (const path of paths()) {
    const nobody = await fetch(base + path);
    expect([nobody.status, nobody.headers.get('www-authenticate')]).toEqual([401, 'Bearer realm="offload"']);
    const other = await fetch(base + path, { headers: bearer(submitter) });
    expect([other.status, ((await other.json()) as { type: string }).type]).toEqual([
      403,
      '/problems/insufficient-scope',
    ]);
  }
  expect(hub.watchedJobs()).toEqual([]);
});

it('does not reveal to a refused client which jobs exist', async () => {
  for (const path of ['/v1/nowhere', ...paths()]) {
    for (const method of ['GET', 'HEAD', 'POST', 'OPTIONS']) {
      expect((await fetch(base + path, { method })).status).toBe(401);
    }
  }
  expect((await fetch(`${base}/v1/nowhere`, { headers: bearer(reader) })).status).toBe(404);
  expect((await fetch(`${base}/v1/events`, { method: 'HEAD', headers: bearer(reader) })).status).toBe(405);
});

it('shows events to a browser, which has a token and sends no header', async () => {
  const { token } = await tokens.issue({ client: 'reader', jobId: job.id }, 60);
  const all = (await tokens.issue({ client: 'reader' }, 60)).token;
  const abort = new AbortController();
  const headers = { Origin: page };
  const streams = await Promise.all([
    fetch(`${base}/v1/jobs/${job.id}/events?token=${token}`, { headers, signal: abort.signal }),
    fetch(`${base}/v1/jobs/${job.id}/events?token=${all}`, { headers, signal: abort.signal }),
    fetch(`${base}/v1/events?tag=nightly&token=${all}`, { headers, signal: abort.signal }),
  ]);
  for (const { status, headers: given } of streams) {
    expect([status, given.get('content-type')]).toEqual([200, 'text/event-stream; charset=utf-8']);
    expect([given.get('access-control-allow-origin'), given.get('vary')]).toEqual([page, 'Origin']);
  }
  abort.abort();
  const refusals = [
    await fetch(`${base}/v1/events?token=${token}`, { headers }),
    await fetch(`${base}/v1/jobs/${randomUUID()}/events?token=${token}`, { headers }),
    await fetch(`${base}/v1/events?token=${token}x`, { headers }),
    await fetch(`${base}/v1/jobs/${randomUUID()}/events?token=${all}`, { headers }),
    await fetch(`${base}/v1/events?colour=red&token=${all}`, { headers }),
    await fetch(`${base}/v1/jobs/${job.id}/events?token=${token}`, { headers: { ...headers, ...bearer(reader) } }),
    await fetch(`${base}/v1/events?token=${all}`, { method: 'POST', headers }),
  ];
  expect(refusals.map(({ status }) => status)).toEqual([403, 403, 401, 404, 400, 400, 401]);
  for (const refusal of refusals) {
    expect(refusal.headers.get('access-control-allow-origin')).toBe(page);
    expect(await refusal.text()).not.toMatch(new RegExp(`${token.slice(0, 30)}|token=`));
  }
  await eventually(() => expect(hub.watchedJobs()).toEqual([]));
});

it('answers preflights of allowed pages only', async () => {
  const headers = { 'Access-Control-Request-Method': 'GET', 'Access-Control-Request-Headers': 'authorization' };
  for (const path of paths()) {
    const mine = await fetch(base + path, { method: 'OPTIONS', headers: { ...headers, Origin: page } });
    expect([mine.status, mine.headers.get('access-control-allow-origin')]).toEqual([204, page]);
    expect(mine.headers.get('access-control-allow-headers')).toMatch(/Authorization.*Last-Event-ID/);
    const other = await fetch(base + path, { method: 'OPTIONS', headers: { ...headers, Origin: 'https://b.example' } });
    expect([other.status, other.headers.get('access-control-allow-origin')]).toEqual([401, null]);
  }
});

it('shows health and metrics without a key', async () => {
  for (const path of ['/healthz', '/readyz', '/metrics']) expect((await fetch(base + path)).status).toBe(200);
});

it('does not cut streams after the time that a request may take', async () => {
  const streams = await Promise.all(
    paths().map((path) => fetch(`http://127.0.0.1:${hasty.port}${path}`, { headers: bearer(reader) })),
  );
  const texts = streams.map((stream) => {
    expect(stream.status).toBe(200);
    const received = { text: '' };
    void (async () => {
      for await (const chunk of stream.body ?? []) received.text += Buffer.from(chunk as Uint8Array).toString();
    })();
    return received;
  });
  // Later requests that never end are cut. By then the streams would have been cut too.
  for (let round = 0; round < 2; round += 1) {
    const slow = connectSocket(hasty.port, '127.0.0.1').resume();
    slow.write('GET');
    await once(slow, 'close');
  }
  hub.publish(eventOf({ ...job, status: 'running', version: 2 }));
  await eventually(() => texts.forEach(({ text }) => expect(text).toMatch(/event: job\.running/)));
});
