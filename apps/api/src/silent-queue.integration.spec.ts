import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { type Database, migrate, type NewJob, openDatabase } from '@offload/database';
import { jobTopology, dispatch, dispatchQueue } from '@offload/job-messages';
import { defaultPolicy } from '@offload/jobs/definitions';
import { connect, type Connection, consume, createPublisher } from '@offload/messaging';
import { createLogger, createMetrics, type Loop } from '@offload/process';
import { eventually, freshDatabaseUrl } from '@offload/spec-kit';
import { startBroker, type TestBroker } from '@offload/spec-kit/servers';
import { v7 as uuidv7 } from 'uuid';
import { createDispatcher, type Dispatcher } from './dispatcher.ts';
import { startRelay } from './loops/relay.ts';
import { createDispatchPublishers } from './dispatch-publishers.ts';

// A leader that stands still is to its clients what one without a majority is: see probe-queue.integration.spec.ts in
// messaging.

const queues = ['default', 'slow', 'stuck'];
const log = createLogger('api', { level: 'silent', instance: 'spec' });

let database: Database;
let server: TestBroker;
let broker: Connection;
let workers: Connection;
let dispatcher: Dispatcher;
let relay: Loop;
const heard = new Map<string, Set<string>>(queues.map((queue) => [queue, new Set()]));
const blamed = new Set<string | null>();

beforeAll(async () => {
  const url = freshDatabaseUrl();
  await migrate(url);
  database = openDatabase({ url, dispatchGraceMs: 100 });
  server = await startBroker();
  broker = connect({ url: server.amqpUrl, topology: jobTopology(queues) });
  workers = connect({ url: server.amqpUrl, topology: jobTopology(queues) });
  await Promise.all([broker.opened, workers.opened]);
  for (const queue of queues)
    consume(workers, {
      queue: dispatchQueue(queue),
      message: dispatch,
      handle: ({ body }) => void heard.get(queue)?.add(body.jobId),
    });
  log.error = (({ queue }: { queue: string }) => void blamed.add(queue)) as typeof log.error;
  dispatcher = createDispatcher({
    database,
    publisher: createPublisher(broker, { whileAway: 'fail' }),
    dispatchPublisher: createDispatchPublishers(broker, queues, { timeoutMs: 2_000 }),
    metrics: createMetrics(),
    log,
  });
  relay = startRelay({ database, dispatcher, broker, log });
}, 60_000);

beforeEach(() => heard.forEach((ids) => ids.clear()));

afterAll(async () => {
  await relay.stop();
  await Promise.all([broker.close(), workers.close()]);
  await server.remove();
  await database.close();
}, 60_000);

const leader = (what: 'suspend' | 'resume', queue: string) =>
  server.control('eval', `sys:${what}('%2F_jobs.${queue}').`);

function newJob(queue: string, delayMs = 0): NewJob {
  const { maxAttempts, timeoutMs, backoff } = defaultPolicy;
  const policy = { maxAttempts, timeoutMs, backoff };
  return {
    id: uuidv7(),
    type: 'demo.sleep',
    queue,
    priority: 0,
    tags: [],
    payload: {},
    delayMs,
    runAt: null,
    ...policy,
  };
}

/** Stores jobs and dispatches for them as the api does. */
async function submit(queue: string, count: number): Promise<string[]> {
  const jobs = Array.from({ length: count }, () => newJob(queue));
  const submitted = await database.jobs.submit({ jobs, idempotency: null });
  if (submitted.kind !== 'created') throw new Error(submitted.kind);
  for (const { serialized, outboxId } of submitted.jobs) {
    const { id: jobId, type, priority } = serialized.job;
    dispatcher.dispatchSoon({ outboxId: outboxId as string, jobId, type, queue, priority, traceparent: null });
  }
  return jobs.map(({ id }) => id);
}

const hears = (queue: string, ids: string[]) =>
  eventually(() => expect(ids.filter((id) => !heard.get(queue)?.has(id))).toEqual([]), { timeoutMs: 30_000 });
const confirmed = () =>
  eventually(async () => expect(await database.outbox.msUntilNext()).toBeNull(), { timeoutMs: 30_000 });

it('dispatches for other queues, at once and when delayed, while one confirms no dispatch messages, and names that one alone', async () => {
  await hears('default', await submit('default', 1));
  // With 32 more the channel has acknowledged 199 messages to the connection, just before it would give the next
  // credit.
  await hears('slow', await submit('slow', 167));
  await leader('suspend', 'slow');
  const slow = await submit('slow', 3_000);
  await hears('default', await submit('default', 500));
  // When the first dispatch messages are given up the broker has them still: the ones after them must not fill its
  // ears.
  const slowAlone = [expect.stringContaining('jobs.slow confirms no dispatch messages')];
  await eventually(() => expect(dispatcher.faults()).toEqual(slowAlone), { timeoutMs: 30_000 });
  const late = await submit('slow', 300);
  for (let round = 1; round <= 3; round += 1) {
    const { job } = await database.jobs.create(newJob('default', 100));
    await hears('default', [job.id, ...(await submit('default', 1))]);
  }
  expect(await dispatcher.command({ command: 'liveness-check' })).toBe(true);
  expect(dispatcher.faults()).toEqual(slowAlone);
  expect([...blamed]).toEqual(['slow']);
  await leader('resume', 'slow');
  await hears('slow', [...slow, ...late]);
  await eventually(() => expect(dispatcher.faults()).toEqual([]), { timeoutMs: 30_000 });
  await confirmed();
}, 180_000);

it('does so while two queues confirm no dispatch messages, of which one has delayed jobs', async () => {
  await leader('suspend', 'slow');
  await leader('suspend', 'stuck');
  const slow = await submit('slow', 600);
  const jobs = Array.from({ length: 1_000 }, () => newJob('stuck', 50));
  await database.jobs.submit({ jobs, idempotency: null });
  const { job } = await database.jobs.create(newJob('default', 500));
  await hears('default', [job.id, ...(await submit('default', 1))]);
  await leader('resume', 'slow');
  await hears('slow', slow);
  await leader('resume', 'stuck');
  await hears(
    'stuck',
    jobs.map(({ id }) => id),
  );
  await confirmed();
}, 180_000);
