import { randomUUID } from 'node:crypto';
import { connect as connectSocket, type Socket } from 'node:net';
import { expect } from '@jest/globals';
import { migrate, openDatabase, type Database, type JobStore } from '@offload/database';
import { listen } from '@offload/http';
import { exchanges, jobEvents, jobTopology } from '@offload/job-messages';
import type { Job } from '@offload/jobs';
import type { JobWithLinks } from '@offload/jobs/answers';
import { defaultPolicy } from '@offload/jobs/definitions';
import { type EventName, eventOf } from '@offload/jobs/events';
import { connect, createPublisher, subscribe } from '@offload/messaging';
import { createLogger, createMetrics } from '@offload/process';
import { eventually, freshDatabaseUrl, freshVhost, manage } from '@offload/spec-kit';
import { createApp, type AppParts } from '../app.ts';
import type { EventStreamsOptions } from './event-streams.ts';
import { createHub } from './hub.ts';
import { startRefresh } from './refresh.ts';

/** An event as a client received it. */
export interface Received {
  event: string;
  id: string;
  job: JobWithLinks;
}

/** A notifier of a spec. */
export type SpecNotifier = Awaited<ReturnType<typeof startNotifier>>;

/** Starts a notifier in this process, with a fresh database and virtual host. */
export async function startNotifier(
  options: EventStreamsOptions & { refreshMs?: number } & Pick<AppParts, 'maxStreams' | 'maxBytesInFlight'> = {},
) {
  const url = freshDatabaseUrl();
  await migrate(url);
  const vhost = await freshVhost();
  const database = openDatabase({ url });
  /** The jobs as the notifier reads them. A spec may replace its methods. */
  const seen: JobStore = { ...database.jobs };
  const seenDatabase: Database = { ...database, jobs: seen };
  const broker = connect({ url: vhost.amqpUrl, topology: jobTopology([]) });
  await broker.opened;
  const publisher = createPublisher(broker);
  const metrics = createMetrics();
  const hub = createHub(metrics, 'http://notifier.test', options);
  const log = createLogger('notifier', { level: 'silent', instance: 'spec' });
  const refresh = startRefresh({
    database: seenDatabase,
    hub,
    log,
    everyMs: options.refreshMs ?? 3_600_000,
    retryMs: 10,
  });
  let listened = 0;
  subscribe(broker, {
    exchange: exchanges.events,
    message: jobEvents,
    handle: ({ body }) => body.forEach(hub.publish),
    onListening() {
      listened += 1;
      refresh.wake();
    },
  });
  await eventually(() => expect(listened).toBe(1));
  const { maxStreams = 1_000, maxBytesInFlight = 1024 ** 3 } = options;
  const limits = { maxStreams, maxBytesInFlight };
  const app = createApp({
    database: seenDatabase,
    broker,
    hub,
    metrics,
    log,
    notifierUrl: 'http://notifier.test',
    ...limits,
  });
  const server = await listen(app, { host: '127.0.0.1', port: 0 });
  const base = `http://127.0.0.1:${server.port}`;

  async function queuedJob(tags: string[] = []): Promise<Job> {
    const { maxAttempts, timeoutMs, backoff, queue } = defaultPolicy;
    const rest = { priority: 0, maxAttempts, timeoutMs, backoff, delayMs: 0, runAt: null };
    const { job } = await database.jobs.create({
      id: randomUUID(),
      type: 'spec.job',
      queue,
      tags,
      payload: {},
      ...rest,
    });
    return job;
  }

  async function claim(job: Job): Promise<Job> {
    const delivery = { dispatchId: randomUUID(), redelivered: false, deliveryCount: 0 };
    const outcome = await database.jobs.claim({ jobId: job.id, ...delivery, claimId: randomUUID(), holder: 'spec' });
    if (outcome.kind !== 'claimed') throw new Error(`not claimed: ${outcome.kind}`);
    return outcome.job;
  }

  async function succeed({ id, attempt }: Job, result: unknown): Promise<Job> {
    return (await database.jobs.settle({ jobId: id, attempt, outcome: { status: 'succeeded', result } })) as Job;
  }

  return {
    database,
    seen,
    hub,
    refresh,
    metrics,
    server,
    base,
    queuedJob,
    claim,
    succeed,
    /** Runs the job to its end without publishing events. */
    async run(job: Job, result: unknown = { ok: true }): Promise<{ running: Job; succeeded: Job }> {
      const running = await claim(job);
      return { running, succeeded: await succeed(running, result) };
    },
    publishEvent: (job: Job, event?: EventName): Promise<void> =>
      publisher.publish(jobEvents, [eventOf(job, event)], { exchange: exchanges.events, mandatory: false }),
    /** Cuts the connection to the broker. Resolves when the notifier is subscribed again. */
    async loseBroker(): Promise<void> {
      const before = listened;
      await eventually(async () => {
        const connections = (await manage('GET', `/api/vhosts/${vhost.name}/connections`)) as { name: string }[];
        expect(connections).not.toEqual([]);
        for (const { name } of connections) await manage('DELETE', `/api/connections/${encodeURIComponent(name)}`);
      });
      await eventually(() => expect(listened).toBeGreaterThan(before));
    },
    watch: (path: string, headers?: Record<string, string>) => watch(base + path, headers),
    /** Opens a stream with a client that reads nothing. */
    stare: (path: string): Socket => stare(server.port, path),
    figure: async (name: string): Promise<number> =>
      ((await metrics.getSingleMetric(name)?.get())?.values[0]?.value as number | undefined) ?? NaN,
    async stop(): Promise<void> {
      hub.close();
      await server.close(0);
      await refresh.stop();
      await broker.close();
      await database.close();
      await vhost.remove();
    },
  };
}

/** Reads events until the stream ends. */
async function watch(url: string, headers: Record<string, string> = {}) {
  const abort = new AbortController();
  const response = await fetch(url, { headers, signal: abort.signal });
  const events: Received[] = [];
  const retries: number[] = [];
  let text = '';
  const ended = (async () => {
    for await (const chunk of response.body ?? []) {
      text += Buffer.from(chunk as Uint8Array).toString();
      const frames = text.split('\n\n');
      text = frames.pop() as string;
      for (const frame of frames) {
        const fields = Object.fromEntries(frame.split('\n').map((line) => line.split(/: (.*)/s)));
        if (fields.retry) retries.push(Number(fields.retry));
        if (fields.event) events.push({ event: fields.event, id: fields.id, job: JSON.parse(fields.data) });
      }
    }
  })();
  const close = () => (abort.abort(), ended.catch(() => undefined)); // the abort's own error
  return { response, events, retries, ended, close };
}

function stare(port: number, path: string): Socket {
  const socket = connectSocket(port, '127.0.0.1').pause();
  socket.write(`GET ${path} HTTP/1.1\r\nHost: notifier\r\n\r\n`);
  return socket;
}
