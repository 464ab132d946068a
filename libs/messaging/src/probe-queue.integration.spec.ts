import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { eventually } from '@offload/spec-kit';
import { startBroker, type TestBroker } from '@offload/spec-kit/servers';
import amqp, { type ChannelModel, type ConfirmChannel } from 'amqplib';
import { z } from 'zod';
import { connect, type Connection } from './connection.ts';
import { NotConfirmedError } from './errors.ts';
import { probeQueue } from './probe-queue.ts';
import { createPublisher } from './publisher.ts';

// A quorum queue whose leader gets no majority answers no command, but any node still tells of it. To its clients that
// is the same as a leader which stands still, which needs no cluster: compared by hand with two nodes of which one was
// killed.

let broker: TestBroker;
let connection: Connection;
let observing: ChannelModel;
let observer: ConfirmChannel;
beforeAll(async () => {
  broker = await startBroker();
  connection = connect({ url: broker.amqpUrl, topology: { queues: { kept: {}, other: {} } } });
  await connection.opened;
  observing = await amqp.connect(broker.amqpUrl);
  observer = await observing.createConfirmChannel();
}, 60_000);
afterAll(async () => {
  await connection.close();
  await observing.close();
  await broker.remove();
}, 60_000);

const leader = (what: 'suspend' | 'resume') => broker.control('eval', `sys:${what}('%2F_kept').`);
const message = { type: 'number', version: 1, schema: z.int() };

it('tells a queue that does not answer, and that it answers again', async () => {
  const [kept, other] = [probeQueue(connection, 'kept'), probeQueue(connection, 'other')];
  expect([await kept.ask(), await other.ask()]).toEqual([null, null]);
  await leader('suspend');
  const fault = 'the queue kept does not answer: it seems to have lost the majority of its members';
  expect([await kept.ask({ timeoutMs: 500 }), await other.ask()]).toEqual([fault, null]);
  expect(await kept.ask({ timeoutMs: 500 })).toBe(fault);
  const publisher = createPublisher(connection, { timeoutMs: 500 });
  await expect(publisher.publish(message, 1, { queue: 'kept' })).rejects.toBeInstanceOf(NotConfirmedError);
  await leader('resume');
  await eventually(async () => expect(await kept.ask({ timeoutMs: 500 })).toBeNull(), { timeoutMs: 20_000 });
}, 60_000);

it('leaves a message where it is, and asks a filled queue only when told to', async () => {
  await createPublisher(connection).publish(message, 2, { queue: 'other' });
  const probe = probeQueue(connection, 'other');
  expect([await probe.ask(), await probe.ask({ evenIfFilled: true })]).toEqual([null, null]);
  await eventually(async () => expect(await observer.checkQueue('other')).toMatchObject({ messageCount: 1 }));
}, 30_000);

it('says nothing of a queue that is not there, nor while there is no connection', async () => {
  connection.events.on('channelLost', () => undefined);
  expect(await probeQueue(connection, 'missing').ask()).toBeNull();
  const closed = connect({ url: broker.amqpUrl });
  const probe = probeQueue(closed, 'kept');
  await closed.opened;
  await closed.close();
  expect(await probe.ask()).toBeNull();
}, 30_000);
