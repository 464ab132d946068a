import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Database, migrate, openDatabase, type PendingDispatch } from '@offload/database';
import { control, exchanges, jobTopology, dispatch, dispatchQueue } from '@offload/job-messages';
import { defaultPolicy } from '@offload/jobs/definitions';
import { connect, type Connection, consume, createPublisher, subscribe } from '@offload/messaging';
import { inspectQueues, type QueueInspector } from '@offload/messaging/queues';
import { createLogger, createMetrics, type Loop } from '@offload/process';
import { eventually, freshDatabaseUrl, freshVhost, manage } from '@offload/spec-kit';
import { v7 as uuidv7 } from 'uuid';
import { createDispatcher, type Dispatcher } from '../dispatcher.ts';
import { startReconcile } from './reconcile.ts';
import { startRelay } from './relay.ts';

const log = createLogger('api', { level: 'silent', instance: 'spec' });
const EVERY_MS = 100;

let database: Database;
let vhost: Awaited<ReturnType<typeof freshVhost>>;
let broker: Connection;
let dispatcher: Dispatcher;
let loops: Loop[];
/** The ids of the jobs that were dispatched while a consumer was there. */
let heard: string[];

beforeEach(async () => {
  const url = freshDatabaseUrl();
  await migrate(url);
  database = openDatabase({ url });
  vhost = await freshVhost();
  broker = connect({ url: vhost.amqpUrl, topology: jobTopology(['default', 'mail']), maxReconnectDelayMs: 50 });
  await broker.opened;
  dispatcher = createDispatcher({ database, publisher: createPublisher(broker), metrics: createMetrics(), log });
  loops = [];
  heard = [];
});
afterEach(async () => {
  await Promise.all(loops.map((loop) => loop.stop()));
  await broker.close();
  await vhost.remove();
  await database.close();
});

function start(
  inspector: QueueInspector = inspectQueues(broker),
  more: { everyMs?: number; lookAgainMs?: number } = {},
): void {
  const relay = startRelay({ database, dispatcher, broker, log });
  const queues = ['default', 'mail'];
  const times = { everyMs: EVERY_MS, lookAgainMs: 10, silenceMs: 3 * EVERY_MS, ...more };
  const own = { database, inspector, dispatcher, relay, broker, queues, ...times };
  loops.push(relay, startReconcile({ ...own, metrics: createMetrics(), log }));
}

/** A queued job that has a pending dispatch message. */
async function createJob(queue = 'default'): Promise<PendingDispatch> {
  const { maxAttempts, timeoutMs, backoff } = defaultPolicy;
  const policy = { priority: 0, tags: [], maxAttempts, timeoutMs, backoff, delayMs: 0, runAt: null };
  const { job, outboxId } = await database.jobs.create({
    ...{ id: uuidv7(), type: 'demo.sleep', payload: {}, queue },
    ...policy,
  });
  return { outboxId, jobId: job.id, type: job.type, queue, priority: 0, traceparent: null };
}

/** A queued job whose dispatch message is in the queue. */
async function dispatchedJob(queue = 'default'): Promise<string> {
  const pending = await createJob(queue);
  await dispatcher.dispatch(pending);
  return pending.jobId;
}

function claim(jobId: string): Promise<unknown> {
  const dispatch = { dispatchId: randomUUID(), claimId: randomUUID(), redelivered: false, deliveryCount: 0 };
  return database.jobs.claim({ jobId, ...dispatch, holder: 'gone' });
}

function listenTo(queue: string): void {
  consume(broker, {
    queue: dispatchQueue(queue),
    message: dispatch,
    handle: ({ body }) => void heard.push(body.jobId),
  });
}

/** A running job, and then its worker and its dispatch message are gone together. */
async function abandonedJob(): Promise<string> {
  const id = await dispatchedJob();
  await claim(id);
  await purge('default');
  return id;
}

const queuePath = (queue: string) => `/api/queues/${vhost.name}/${dispatchQueue(queue)}`;
const purge = (queue: string) => manage('DELETE', `${queuePath(queue)}/contents`);

describe('jobs whose dispatch messages the broker has lost', () => {
  it('are dispatched again, in each queue', async () => {
    const ids = [await dispatchedJob(), await dispatchedJob(), await dispatchedJob('mail')];
    await Promise.all([purge('default'), purge('mail')]);
    ['default', 'mail'].forEach(listenTo);
    start();
    await eventually(() => expect(new Set(heard)).toEqual(new Set(ids)));
  });

  it('are dispatched again also when the queue itself was deleted, which is declared again', async () => {
    const id = await dispatchedJob();
    await manage('DELETE', queuePath('default'));
    start();
    await eventually(async () => {
      const queue = (await manage('GET', queuePath('default'))) as { name?: string };
      expect(queue.name).toBe(dispatchQueue('default'));
    });
    listenTo('default');
    await eventually(() => expect(heard).toContain(id));
  });

  it('are left alone while a worker answers that it has them: they wait there for a slot', async () => {
    const id = await dispatchedJob();
    let calls = 0;
    await new Promise<void>((onListening) => {
      const answer = async (): Promise<void> => {
        await database.jobs.hold([{ jobId: id, attempt: null }]);
        calls += 1;
      };
      subscribe(broker, { exchange: exchanges.control, message: control, handle: answer, onListening });
    });
    const handle = ({ body }: { body: { jobId: string } }) => new Promise<void>(() => void heard.push(body.jobId));
    consume(broker, { queue: dispatchQueue('default'), message: dispatch, handle });
    start(inspectQueues(broker), { everyMs: 1_000, lookAgainMs: 500 });
    await eventually(() => expect(calls).toBeGreaterThanOrEqual(2));
    expect(heard).toEqual([id]);
    expect(await database.outbox.msUntilNext()).toBeNull();
  });

  it('are left alone while as many dispatch messages wait as there should be', async () => {
    await dispatchedJob();
    const inspector = inspectQueues(broker);
    let looks = 0;
    const inspect = async (queue: string) => {
      const status = await inspector.inspect(queue);
      looks += 1;
      return status;
    };
    const waiting = { ready: 1, consumers: 0 };
    await eventually(async () => expect(await inspect(dispatchQueue('default'))).toEqual(waiting));
    start({ inspect });
    await eventually(() => expect(looks).toBeGreaterThan(5));
    expect(await inspect(dispatchQueue('default'))).toEqual(waiting);
  });

  it('are left alone while the broker does not count them, and other jobs are worked off', async () => {
    const ids: string[] = [];
    for (let count = 0; count < 12; count += 1) ids.push(await dispatchedJob());
    const left = [...ids];
    // What RabbitMQ says of a queue that does not answer within a quarter of a second.
    const inspect = async () => {
      const jobId = left.shift() as string;
      if (left.length > 0) await claim(jobId);
      return { ready: 0, consumers: 0 };
    };
    start({ inspect });
    await eventually(() => expect(left.length).toBeLessThan(2));
    await Promise.all(loops.splice(0).map((loop) => loop.stop()));
    listenTo('default');
    await eventually(() => expect(heard).toHaveLength(12));
    expect(heard).toEqual(ids);
  });

  it('are left alone where the oldest was dispatched last, and others are between queue and claim', async () => {
    const early = await createJob();
    const ids: string[] = [];
    for (let count = 0; count < 12; count += 1) ids.push(await dispatchedJob());
    await dispatcher.dispatch(early);
    const left = [...ids];
    // Of those that wait, one is always on its way to a claim.
    const inspect = async () => {
      const jobId = left.shift() as string;
      if (left.length > 0) await claim(jobId);
      return { ready: left.length, consumers: 1 };
    };
    start({ inspect });
    await eventually(() => expect(left.length).toBeLessThan(2));
    await Promise.all(loops.splice(0).map((loop) => loop.stop()));
    listenTo('default');
    await eventually(() => expect(heard).toHaveLength(13));
    expect(heard).toEqual([...ids, early.jobId]);
  });
});

describe('a running job whose worker died together with the dispatch message', () => {
  it('is dispatched for its next attempt after some liveness checks', async () => {
    const calls: unknown[] = [];
    await new Promise<void>((onListening) => {
      const handle = ({ body }: { body: unknown }) => void calls.push(body);
      subscribe(broker, { exchange: exchanges.control, message: control, handle, onListening });
    });
    const id = await abandonedJob();
    start();
    listenTo('default');
    await eventually(() => expect(heard).toContain(id));
    expect(calls.length).toBeGreaterThanOrEqual(3);
    expect(calls[0]).toEqual({ command: 'liveness-check' });
    expect(await database.jobs.get(id)).toMatchObject({ status: 'queued', errors: [{ code: 'worker-lost' }] });
  });

  it('stays with a worker that answers', async () => {
    const id = await abandonedJob();
    let answered = 0;
    subscribe(broker, {
      exchange: exchanges.control,
      message: control,
      async handle() {
        await database.jobs.hold([{ jobId: id, attempt: 1 }]);
        answered += 1;
      },
    });
    start();
    await eventually(() => expect(answered).toBeGreaterThanOrEqual(8));
    expect(await database.jobs.get(id)).toMatchObject({ status: 'running', attempt: 1 });
  });
});
