import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { jobTopology, dispatch } from '@offload/job-messages';
import { connect, type Connection, consume } from '@offload/messaging';
import { createLogger } from '@offload/process';
import { eventually } from '@offload/spec-kit';
import { startBroker, type TestBroker } from '@offload/spec-kit/servers';
import { watchQueues } from './watch-queues.ts';

let broker: TestBroker;
let connection: Connection;
beforeAll(async () => {
  broker = await startBroker();
  connection = connect({ url: broker.amqpUrl, topology: jobTopology(['default', 'mail']) });
  await connection.opened;
}, 60_000);
afterAll(async () => {
  await connection.close();
  await broker.remove();
}, 60_000);

it('names a queue that does not answer while it does not, and logs each change once', async () => {
  const lines: string[] = [];
  const log = createLogger('spec', { level: 'silent', instance: 'spec' });
  log.error = ((message: string) => void lines.push(message)) as typeof log.error;
  log.info = ((message: string) => void lines.push(message)) as typeof log.info;
  const consumer = (queue: string) => consume(connection, { queue, message: dispatch, handle: () => 'ack' });
  const consumers = new Map([
    ['default', consumer('jobs.default')],
    ['mail', consumer('jobs.mail')],
  ]);
  await eventually(() => expect([...consumers.values()].every(({ active }) => active)).toBe(true));
  const watch = watchQueues({ connection, consumers, log, everyMs: 100, timeoutMs: 1_000 });
  const fault = 'the queue jobs.default does not answer: it seems to have lost the majority of its members';

  await broker.control('eval', "sys:suspend('%2F_jobs.default')."); // see probe-queue.integration.spec.ts in messaging
  await eventually(() => expect(watch.faults()).toEqual([fault]), { timeoutMs: 20_000 });
  expect([...consumers.values()].every(({ active }) => active)).toBe(true); // they notice nothing
  await broker.control('eval', "sys:resume('%2F_jobs.default').");
  await eventually(() => expect(watch.faults()).toEqual([]), { timeoutMs: 20_000 });
  expect(lines).toEqual([fault, 'the queue jobs.default answers again']);
}, 90_000);
