import { randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { defaultPolicy, eventOf, jobEvent, type EventName, type Job } from '@offload/contracts';
import { migrate, openDatabase, type Database } from '@offload/database';
import { connect, createPublisher, exchanges, jobTopology, subscribe } from '@offload/messaging';
import type { Connection, Publisher } from '@offload/messaging';
import { createLogger, createMetrics } from '@offload/runtime';
import { eventually, freshDatabaseUrl, freshVhost, manage } from '@offload/testing';
import { createApp } from './app.ts';
import { createHub, type Hub } from './browsers/hub.ts';
import { refreshWatched } from './browsers/refresh.ts';

interface Received {
  event: string;
  id: string;
  job: Job & { links: { events: string } };
}

const log = createLogger('notifier', { level: 'silent', instance: 'spec' });

let database: Database;
let vhost: Awaited<ReturnType<typeof freshVhost>>;
let broker: Connection;
let publisher: Publisher;
let hub: Hub;
let server: Server;
let base: string;
let listened = 0;

beforeAll(async () => {
  const url = freshDatabaseUrl();
  await migrate(url);
  vhost = await freshVhost();
  database = openDatabase({ url });
  broker = connect({ url: vhost.amqpUrl, topology: jobTopology([]) });
  await broker.opened;
  publisher = createPublisher(broker);
  const metrics = createMetrics();
  hub = createHub(metrics, 'http://notifier.test');
  subscribe(broker, {
    exchange: exchanges.events,
    message: jobEvent,
    handle: ({ body }) => hub.publish(body),
    onListening() {
      listened += 1;
      void refreshWatched({ database, hub, log });
    },
  });
  await eventually(() => expect(listened).toBe(1));
  const app = createApp({ database, broker, hub, metrics, log, notifierUrl: 'http://notifier.test' });
  server = createServer(app).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(async () => {
  hub.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await broker.close();
  await database.close();
  await vhost.remove();
});

async function queuedJob(tags: string[] = []): Promise<Job> {
  const { maxAttempts, timeoutMs, backoff, queue } = defaultPolicy;
  const rest = { priority: 0, maxAttempts, timeoutMs, backoff, delayMs: 0, runAt: null };
  const { job } = await database.createJob({ id: randomUUID(), type: 'spec.job', queue, tags, payload: {}, ...rest });
  return job;
}

async function claim(job: Job): Promise<Job> {
  const delivery = {
    ringId: randomUUID(),
    redelivered: false,
    deliveryCount: 0,
    claimId: randomUUID(),
    holder: 'spec',
  };
  const outcome = await database.claimJob({ jobId: job.id, ...delivery });
  if (outcome.kind !== 'claimed') throw new Error(`not claimed: ${outcome.kind}`);
  return outcome.job;
}

async function succeed({ id, attempt }: Job, result: unknown): Promise<Job> {
  return (await database.settleJob({ jobId: id, attempt, outcome: { status: 'succeeded', result } })) as Job;
}

async function run(job: Job, result: unknown = { ok: true }): Promise<{ running: Job; succeeded: Job }> {
  const running = await claim(job);
  return { running, succeeded: await succeed(running, result) };
}

function announce(job: Job, event?: EventName): Promise<void> {
  return publisher.publish(jobEvent, eventOf(job, event), { exchange: exchanges.events, mandatory: false });
}

/** Reads events until `count` of them came or the stream ended. */
async function watch(path: string, headers: Record<string, string> = {}) {
  const abort = new AbortController();
  const response = await fetch(base + path, { headers, signal: abort.signal });
  const events: Received[] = [];
  let text = '';
  const ended = (async () => {
    for await (const chunk of response.body ?? []) {
      text += Buffer.from(chunk as Uint8Array).toString();
      const frames = text.split('\n\n');
      text = frames.pop() as string;
      for (const frame of frames) {
        const fields = Object.fromEntries(frame.split('\n').map((line) => line.split(/: (.*)/s)));
        if (fields.event) events.push({ event: fields.event, id: fields.id, job: JSON.parse(fields.data) });
      }
    }
  })();
  return { response, events, ended, close: () => (abort.abort(), ended.catch(() => undefined)) }; // the abort's own error
}

describe('GET /v1/jobs/{id}/events', () => {
  it('shows the job as it is, then each event, and ends after the terminal one', async () => {
    const job = await queuedJob();
    const { response, events, ended } = await watch(`/v1/jobs/${job.id}/events`);
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    await eventually(() => expect(events).toHaveLength(1));
    const { running, succeeded } = await run(job);
    await announce(running);
    await announce(succeeded);
    await ended;
    expect(events.map(({ event, id }) => [event, id])).toEqual([
      ['job.queued', '1'],
      ['job.running', '2'],
      ['job.succeeded', '3'],
    ]);
    expect(events[2]?.job).toMatchObject({ id: job.id, result: { ok: true } });
    expect(events[2]?.job.links.events).toBe(`http://notifier.test/v1/jobs/${job.id}/events`);
  });

  it('shows a late watcher the job as it is first', async () => {
    const job = await queuedJob();
    await run(job);
    const { events, ended } = await watch(`/v1/jobs/${job.id}/events`);
    await ended; // the job is finished: nothing more to come
    expect(events.map(({ event }) => event)).toEqual(['job.succeeded']);
  });

  it('leaves out what is older than what was shown, and what came twice', async () => {
    const job = await queuedJob();
    const running = await claim(job);
    const { events, ended } = await watch(`/v1/jobs/${job.id}/events`);
    await eventually(() => expect(events).toHaveLength(1));
    await announce(job);
    await announce(running);
    await announce(await succeed(running, 1));
    await ended;
    expect(events.map(({ event }) => event)).toEqual(['job.running', 'job.succeeded']);
  });

  it('sends nothing old to who has seen it, and 204 when nothing more will come', async () => {
    const job = await queuedJob();
    const seen = await watch(`/v1/jobs/${job.id}/events`, { 'Last-Event-ID': '1' });
    const { running, succeeded } = await run(job);
    await announce(running);
    await announce(succeeded);
    await seen.ended;
    expect(seen.events.map(({ id }) => id)).toEqual(['2', '3']);
    const after = await fetch(`${base}/v1/jobs/${job.id}/events`, { headers: { 'Last-Event-ID': '3' } });
    expect(after.status).toBe(204);
  });

  it('does not believe that somebody has seen a version that does not exist', async () => {
    const job = await queuedJob();
    const { events, ended } = await watch(`/v1/jobs/${job.id}/events`, { 'Last-Event-ID': '999' });
    const { succeeded } = await run(job);
    await announce(succeeded);
    await ended;
    expect(events.map(({ event }) => event)).toEqual(['job.succeeded']);
  });

  it('carries a job that is larger than a slow reader may be behind', async () => {
    const job = await queuedJob();
    const result = 'x'.repeat(6 * 1024 * 1024);
    await run(job, result);
    const { events, ended } = await watch(`/v1/jobs/${job.id}/events`);
    await ended;
    expect(events[0]?.job.result).toBe(result);
  });

  it('gives the final state to who was watching while the broker was away', async () => {
    const job = await queuedJob();
    const { events, ended } = await watch(`/v1/jobs/${job.id}/events`);
    await eventually(() => expect(events).toHaveLength(1));
    await run(job); // and its events are lost
    const before = listened;
    await eventually(async () => {
      const connections = (await manage('GET', `/api/vhosts/${vhost.name}/connections`)) as { name: string }[];
      expect(connections).not.toEqual([]);
      for (const { name } of connections) await manage('DELETE', `/api/connections/${encodeURIComponent(name)}`);
    });
    await eventually(() => expect(listened).toBeGreaterThan(before));
    await ended;
    expect(events.map(({ event }) => event)).toEqual(['job.queued', 'job.succeeded']);
  });

  it('answers problems for an unknown job, a bad id and another method', async () => {
    const unknown = await fetch(`${base}/v1/jobs/${randomUUID()}/events`);
    expect([unknown.status, ((await unknown.json()) as { type: string }).type]).toEqual([
      404,
      '/problems/job-not-found',
    ]);
    expect((await fetch(`${base}/v1/jobs/nope/events`)).status).toBe(400);
    for (const method of ['HEAD', 'POST']) {
      expect((await fetch(`${base}/v1/jobs/${randomUUID()}/events`, { method })).status).toBe(405);
    }
    expect(hub.watchedJobs()).toEqual([]);
  });

  it('forgets watchers that have gone', async () => {
    const job = await queuedJob();
    const { events, close } = await watch(`/v1/jobs/${job.id}/events`);
    await eventually(() => expect(events).toHaveLength(1));
    expect(hub.watchedJobs()).toEqual([job.id]);
    await close();
    await eventually(() => expect(hub.watchedJobs()).toEqual([]));
  });
});

describe('GET /v1/events', () => {
  it('tells of all jobs, or of those that match every filter', async () => {
    const all = await watch('/v1/events');
    const filtered = await watch('/v1/events?tag=nightly&status=succeeded&type=spec.job&queue=default');
    const [plain, tagged] = [await queuedJob(), await queuedJob(['nightly'])];
    for (const job of [plain, tagged]) await announce(job);
    const { succeeded } = await run(tagged);
    await announce(succeeded);
    await eventually(() => expect(all.events).toHaveLength(3));
    await eventually(() => expect(filtered.events).toHaveLength(1));
    expect(all.events.map(({ job: { id } }) => id)).toEqual([plain.id, tagged.id, tagged.id]);
    expect(filtered.events[0]).toMatchObject({ event: 'job.succeeded', job: { id: tagged.id } });
    await Promise.all([all.close(), filtered.close()]);
  });

  it('refuses a filter it does not know', async () => {
    const response = await fetch(`${base}/v1/events?colour=red`);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ errors: [{ parameter: 'colour' }] });
  });
});

it('is ready while it listens', async () => {
  const ready = await eventually(async () => {
    const response = await fetch(`${base}/readyz`);
    expect(response.status).toBe(200);
    return response.json();
  });
  expect(ready).toEqual({ status: 'ready', checks: { database: 'ok', broker: 'ok' } });
});
