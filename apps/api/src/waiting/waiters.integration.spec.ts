import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Database, migrate, openDatabase } from '@offload/database';
import { exchanges, jobEvents, jobTopology } from '@offload/job-messages';
import { type Job, SerializedJob } from '@offload/jobs';
import { defaultPolicy } from '@offload/jobs/definitions';
import { endings, eventOf } from '@offload/jobs/events';
import { connect, type Connection, createPublisher, subscribe } from '@offload/messaging';
import { createLogger, createMetrics } from '@offload/process';
import { eventually, freshDatabaseUrl, freshVhost, manage } from '@offload/spec-kit';
import { createDispatcher } from '../dispatcher.ts';
import { createWaiters, type Waiters } from './waiters.ts';

const MINUTE_MS = 60_000;
const log = createLogger('api', { level: 'silent', instance: 'spec' });

let database: Database;
let vhost: Awaited<ReturnType<typeof freshVhost>>;
let broker: Connection;
let waiters: Waiters;
let listened: number;
/** The jobs whose events were read. */
let read: string[];

beforeEach(async () => {
  const url = freshDatabaseUrl();
  await migrate(url);
  database = openDatabase({ url });
  vhost = await freshVhost();
  broker = connect({ url: vhost.amqpUrl, topology: jobTopology([]), maxReconnectDelayMs: 50 });
  broker.events.on('state', () => undefined); // that it is lost in between is no news
  waiters = createWaiters({ database, maxWaiters: 10, metrics: createMetrics(), log });
  listened = 0;
  read = [];
  subscribe(broker, {
    exchange: exchanges.eventsByName,
    routingKeys: endings,
    message: jobEvents,
    wants: ({ correlationId }) => waiters.wants(correlationId),
    handle({ body }) {
      read.push(...body.map(({ data }) => data.id));
      body.forEach(waiters.hear);
    },
    onListening() {
      listened += 1;
      void waiters.refresh();
    },
  });
  await eventually(() => expect(listened).toBe(1));
});
afterEach(async () => {
  waiters.close();
  await broker.close();
  await vhost.remove();
  await database.close();
});

async function queuedJob(): Promise<Job> {
  const { maxAttempts, timeoutMs, backoff, queue } = defaultPolicy;
  const rest = { priority: 0, maxAttempts, timeoutMs, backoff, delayMs: 0, runAt: null };
  const { job } = await database.jobs.create({
    id: randomUUID(),
    type: 'spec.job',
    queue,
    tags: [],
    payload: {},
    ...rest,
  });
  return job;
}

async function cancel({ id }: Job): Promise<Job> {
  const cancellation = await database.jobs.cancel(id);
  if (!cancellation) throw new Error('not there');
  return cancellation.job;
}

function waitFor({ id }: Job): Promise<Job | null> {
  const waiter = waiters.enter('spec');
  waiter.watch(id);
  return waiter.wait(MINUTE_MS).finally(waiter.leave);
}

describe('a request that waits', () => {
  it('is woken by an event of its job; other events are not read', async () => {
    const dispatcher = createDispatcher({
      database,
      publisher: createPublisher(broker),
      metrics: createMetrics(),
      log,
    });
    const [other, awaited] = [await queuedJob(), await queuedJob()];
    const wait = waitFor(awaited);
    await dispatcher.publishEvent(new SerializedJob(await cancel(other)));
    await dispatcher.publishEvent(new SerializedJob(await cancel(awaited)));
    expect(await wait).toMatchObject({ id: awaited.id, status: 'cancelled' });
    expect(read).toEqual([awaited.id]);
  });

  it('is woken by an event whose message does not say what it is about', async () => {
    const publisher = createPublisher(broker);
    const job = await queuedJob();
    const wait = waitFor(job);
    const to = { exchange: exchanges.events, routingKey: 'job.cancelled', mandatory: false };
    await publisher.publish(jobEvents, [eventOf(await cancel(job))], to);
    expect(await wait).toMatchObject({ id: job.id, status: 'cancelled' });
  });

  it('is woken when its job has finished while the broker was away', async () => {
    const job = await queuedJob();
    const wait = waitFor(job);
    await cancel(job); // and the event is lost
    await eventually(async () => {
      const connections = (await manage('GET', `/api/vhosts/${vhost.name}/connections`)) as { name: string }[];
      expect(connections).not.toEqual([]);
      for (const { name } of connections) await manage('DELETE', `/api/connections/${encodeURIComponent(name)}`);
    });
    expect(await wait).toMatchObject({ id: job.id, status: 'cancelled' });
    expect(listened).toBe(2);
  });
});
