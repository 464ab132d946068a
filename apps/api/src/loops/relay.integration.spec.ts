import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { type Database, migrate, type NewJob, openDatabase } from '@offload/database';
import { jobTopology, dispatch, dispatchQueue } from '@offload/job-messages';
import { SerializedJob } from '@offload/jobs';
import { defaultPolicy } from '@offload/jobs/definitions';
import { connect, type Connection, consume, createPublisher } from '@offload/messaging';
import { createLogger, createMetrics, type Loop } from '@offload/process';
import { eventually, freshDatabaseUrl, freshVhost } from '@offload/spec-kit';
import { v7 as uuidv7 } from 'uuid';
import { createDispatcher, type Dispatcher } from '../dispatcher.ts';
import { startRelay } from './relay.ts';

const log = createLogger('api', { level: 'silent', instance: 'spec' });
const DISPATCH_GRACE_MS = 100;

let database: Database;
let vhost: Awaited<ReturnType<typeof freshVhost>>;
let broker: Connection;
let dispatcher: Dispatcher;
let relays: Loop[];
let heard: { jobId: string; dispatchId: string }[];

beforeEach(async () => {
  const url = freshDatabaseUrl();
  await migrate(url);
  // Jobs are stored here without a dispatch, as if the api had died in between.
  database = openDatabase({ url, dispatchGraceMs: DISPATCH_GRACE_MS });
  vhost = await freshVhost();
  broker = connect({ url: vhost.amqpUrl, topology: jobTopology(['default']) });
  await broker.opened;
  dispatcher = createDispatcher({ database, publisher: createPublisher(broker), metrics: createMetrics(), log });
  relays = [];
  heard = [];
  listenTo('default');
});

afterEach(async () => {
  await Promise.all(relays.map((relay) => relay.stop()));
  await broker.close();
  await vhost.remove();
  await database.close();
});

function start(): Loop {
  const relay = startRelay({ database, dispatcher, broker, log });
  relays.push(relay);
  return relay;
}

function listenTo(queue: string): void {
  consume(broker, {
    queue: dispatchQueue(queue),
    message: dispatch,
    handle: ({ body, messageId = '' }) => void heard.push({ jobId: body.jobId, dispatchId: messageId }),
  });
}

function newJob(more: Partial<NewJob> = {}): NewJob {
  const { maxAttempts, timeoutMs, backoff } = defaultPolicy;
  const defaults = {
    type: 'demo.sleep',
    queue: 'default',
    priority: 0,
    tags: [],
    payload: {},
    delayMs: 0,
    runAt: null,
  };
  return { id: uuidv7(), ...defaults, maxAttempts, timeoutMs, backoff, ...more };
}

it('dispatches for the jobs that a dead api left behind, once each, and leaves nothing pending afterwards', async () => {
  const left = await Promise.all([newJob(), newJob(), newJob()].map((job) => database.jobs.create(job)));
  start();
  await eventually(() => expect(heard).toHaveLength(3));
  expect(new Set(heard.map(({ jobId }) => jobId))).toEqual(new Set(left.map(({ job }) => job.id)));
  await eventually(async () => expect(await database.outbox.msUntilNext()).toBeNull());
  expect(new Set(heard.map(({ dispatchId }) => dispatchId)).size).toBe(3);
});

it('dispatches for a delayed job when it is due, not before, and makes it queued', async () => {
  const relay = start();
  const { job } = await database.jobs.create(newJob({ delayMs: 300 }));
  expect(job.status).toBe('scheduled');
  relay.wake();
  await eventually(() => expect(heard.map(({ jobId }) => jobId)).toEqual([job.id]));
  expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(job.dueAt));
  await eventually(async () => expect((await database.jobs.get(job.id))?.status).toBe('queued'));
});

it('leaves dispatch messages pending while no queue would take them, and sends them when there is one', async () => {
  const { job } = await database.jobs.create(newJob({ queue: 'later' }));
  const relay = start();
  await eventually(async () => expect(await database.outbox.msUntilNext()).toBeGreaterThan(DISPATCH_GRACE_MS)); // taken once
  expect(heard).toEqual([]);

  const another = connect({ url: vhost.amqpUrl, topology: jobTopology(['later']) });
  await another.opened;
  await another.close();
  listenTo('later');
  relay.wake();
  await eventually(() => expect(heard.map(({ jobId }) => jobId)).toEqual([job.id]), { timeoutMs: 20_000 });
});

it('lets two relays share the work without dispatching twice', async () => {
  await Promise.all(Array.from({ length: 40 }, () => database.jobs.create(newJob())));
  start();
  start();
  await eventually(async () => expect(await database.outbox.msUntilNext()).toBeNull());
  await eventually(() => expect(heard).toHaveLength(40));
  expect(new Set(heard.map(({ jobId }) => jobId)).size).toBe(40);
});

it('counts the events that its broker did not take', async () => {
  const metrics = createMetrics();
  const toBroker = createPublisher(broker);
  const told = createDispatcher({ database, publisher: toBroker, metrics, log });
  const { job } = await database.jobs.create(newJob());
  const figure = async () => await metrics.getSingleMetricAsString('offload_events_given_up_total');
  await told.publishEvent(new SerializedJob(job));
  expect(await figure()).toMatch(/^offload_events_given_up_total 0$/m);
  await broker.close();
  await told.publishEvent(new SerializedJob(job));
  expect(await figure()).toMatch(/^offload_events_given_up_total 1$/m);
});

it('gets the dispatch messages of many jobs that come at once, beyond those that may be under way, and sends each once', async () => {
  const busy = createDispatcher({
    database,
    publisher: createPublisher(broker),
    mostDispatches: 10,
    metrics: createMetrics(),
    log,
  });
  const jobs = Array.from({ length: 200 }, () => newJob());
  const submitted = await database.jobs.submit({ jobs, idempotency: null });
  if (submitted.kind !== 'created') throw new Error(submitted.kind);
  for (const { serialized, outboxId } of submitted.jobs) {
    const { id: jobId, type, queue, priority } = serialized.job;
    busy.dispatchSoon({ outboxId: outboxId as string, jobId, type, queue, priority, traceparent: null });
  }
  await busy.quiet();
  await eventually(() => expect(heard).toHaveLength(10));
  start();
  await eventually(async () => expect(await database.outbox.msUntilNext()).toBeNull());
  await eventually(() => expect(heard).toHaveLength(200));
  expect(new Set(heard.map(({ jobId }) => jobId))).toEqual(new Set(jobs.map(({ id }) => id)));
});
