import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { defaultPolicy, ring } from '@offload/contracts';
import { migrate, openDatabase, type Database, type NewJob } from '@offload/database';
import {
  consume,
  createPublisher,
  declareTopology,
  openConnection,
  ringQueue,
  type Connection,
} from '@offload/messaging';
import { createLogger, createMetrics } from '@offload/runtime';
import { eventually, freshDatabaseUrl, freshVhost } from '@offload/testing';
import { v7 as uuidv7 } from 'uuid';
import { createBell } from './bell.ts';
import { startRelay, type Relay } from './relay.ts';

const log = createLogger('api', { level: 'silent', instance: 'spec' });
const RING_GRACE_MS = 100;

let url: string;
let database: Database;
let vhost: Awaited<ReturnType<typeof freshVhost>>;
let broker: Connection;
let relay: Relay | undefined;
let heard: { jobId: string; ringId: string }[];

beforeAll(async () => {
  url = freshDatabaseUrl();
  await migrate(url);
});

beforeEach(async () => {
  // One in two seconds is the grace of production; here whoever creates jobs has been killed already.
  database = openDatabase({ url, ringGraceMs: RING_GRACE_MS });
  vhost = await freshVhost();
  broker = await openConnection({ url: vhost.amqpUrl, name: 'spec' });
  await declareTopology(broker, ['default']);
  heard = [];
  consume(broker, {
    queue: ringQueue('default'),
    prefetch: 10,
    schema: ring,
    deadLetters: createPublisher(broker),
    handle: async ({ body, messageId }) => {
      heard.push({ jobId: body.jobId, ringId: messageId });
      return 'ack';
    },
    onFault: (error) => {
      throw error;
    },
  });
});

afterEach(async () => {
  await relay?.stop();
  relay = undefined;
  await broker.close();
  await vhost.remove();
  await database.close();
});

afterAll(() => undefined);

function start(): void {
  const bell = createBell({ database, publisher: createPublisher(broker), metrics: createMetrics(), log });
  relay = startRelay({ database, bell, broker, log });
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

it('rings for the jobs that a dead api left behind, once each, and owes nothing afterwards', async () => {
  const left = await Promise.all([newJob(), newJob(), newJob()].map((job) => database.createJob(job)));
  start();
  await eventually(() => expect(heard).toHaveLength(3));
  expect(new Set(heard.map(({ jobId }) => jobId))).toEqual(new Set(left.map(({ job }) => job.id)));
  await eventually(async () => expect(await database.msUntilNextRing()).toBeNull());
  expect(new Set(heard.map(({ ringId }) => ringId)).size).toBe(3);
});

it('rings for a delayed job when it is due, not before, and makes it queued', async () => {
  start();
  const { job } = await database.createJob(newJob({ delayMs: 300 }));
  expect(job.status).toBe('scheduled');
  relay?.wake();
  await eventually(() => expect(heard.map(({ jobId }) => jobId)).toEqual([job.id]));
  expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(job.dueAt));
  await eventually(async () => expect((await database.getJob(job.id))?.status).toBe('queued'));
});

it('leaves rings owed while no queue would take them, and sends them when there is one', async () => {
  const { job } = await database.createJob(newJob({ queue: 'later' }));
  start();
  await eventually(async () => expect(await database.msUntilNextRing()).toBeGreaterThan(RING_GRACE_MS)); // taken once
  expect(heard).toEqual([]);
  expect(await database.msUntilNextRing()).not.toBeNull();
  expect((await database.getJob(job.id))?.status).toBe('queued');
});

it('lets two relays share the work without ringing twice', async () => {
  await Promise.all(Array.from({ length: 40 }, () => database.createJob(newJob())));
  start();
  const first = relay;
  start();
  await eventually(async () => expect(await database.msUntilNextRing()).toBeNull());
  await eventually(() => expect(heard).toHaveLength(40));
  expect(new Set(heard.map(({ jobId }) => jobId)).size).toBe(40);
  await first?.stop();
});
