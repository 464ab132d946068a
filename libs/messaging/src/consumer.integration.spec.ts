import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { eventually, freshVhost, type FreshVhost } from '@offload/testing';
import amqp, { type ConfirmChannel } from 'amqplib';
import { z } from 'zod';
import { openConnection } from './connection.ts';
import { consume, type DeliveredMessage, type Verdict } from './consumer.ts';
import { BrokerUnavailableError } from './errors.ts';
import { createPublisher, type Publisher } from './publisher.ts';
import { declareTopology, ringQueue, topology } from './topology.ts';

let vhost: FreshVhost;
const opened: { close(): Promise<void> }[] = [];
beforeEach(async () => void (vhost = await freshVhost()));
afterEach(async () => {
  await Promise.all(opened.splice(0).map((each) => each.close()));
  await vhost.remove();
});

const queue = ringQueue('default');
const schema = z.object({ n: z.int() });
type Message = DeliveredMessage<z.output<typeof schema>>;
/** A delivery that waits for the test to decide. */
type Held = Message & { decide(verdict: Verdict): void; fail(error: Error): void };

/** A consumer whose deliveries the test decides upon, and somebody who sends and looks. */
async function setup({ prefetch = 10, deadLetters }: { prefetch?: number; deadLetters?: Publisher } = {}) {
  const [connection, publishing] = await Promise.all(
    ['consumes', 'publishes'].map((name) => openConnection({ url: vhost.amqpUrl, name, maxReconnectDelayMs: 50 })),
  );
  if (!connection || !publishing) throw new Error('unreachable');
  const observing = await amqp.connect(vhost.amqpUrl);
  opened.push(connection, publishing, observing);
  const observer = await observing.createConfirmChannel();
  const publisher = deadLetters ?? createPublisher(publishing);
  await declareTopology(publishing, ['default']);

  const deliveries: Held[] = [];
  const faults: string[] = [];
  const handle = (message: Message): Promise<Verdict> =>
    new Promise((resolve, reject) => deliveries.push({ ...message, decide: resolve, fail: reject }));
  const onFault = (error: Error) => void faults.push(error.message);
  const consumer = consume(connection, { queue, prefetch, schema, deadLetters: publisher, handle, onFault });
  let latest!: ConfirmChannel;
  await connection.keepChannel(async (channel) => void (latest = channel)); // and the consumer's is open before

  async function send(n: unknown, properties: { messageId?: string } = { messageId: randomUUID() }) {
    const content = typeof n === 'string' ? n : JSON.stringify({ n });
    observer.publish(topology.jobs, 'default', Buffer.from(content), { persistent: true, type: 'ring', ...properties });
    await observer.waitForConfirms();
  }
  /** The delivery at this place, once it is there. */
  const delivery = (index: number): Promise<Held> =>
    eventually(() => {
      const found = deliveries[index];
      if (!found) throw new Error(`there is no delivery ${index}`);
      return found;
    });
  /** What is in the queue once nobody consumes it: whatever was not acknowledged is back by then. */
  async function left(): Promise<unknown[]> {
    await connection?.close();
    await eventually(async () => expect(await observer.checkQueue(queue)).toMatchObject({ consumerCount: 0 }));
    return taken(queue);
  }
  async function taken(from: string): Promise<unknown[]> {
    const bodies: unknown[] = [];
    for (let got; (got = await observer.get(from, { noAck: true }));) bodies.push(JSON.parse(got.content.toString()));
    return bodies;
  }
  const cut = () =>
    (latest.connection as unknown as { stream: { destroy(error: Error): void } }).stream.destroy(new Error('cut'));
  return { connection, consumer, observer, deliveries, faults, send, delivery, left, taken, cut };
}

describe('a verdict', () => {
  it('of ack ends the message', async () => {
    const { send, delivery, deliveries, left } = await setup({ prefetch: 1 });
    const messageId = randomUUID();
    await send(1, { messageId });
    await send(2);
    const first = await delivery(0);
    expect(first).toMatchObject({ body: { n: 1 }, messageId, redelivered: false, deliveryCount: 0 });
    first.decide('ack');
    (await delivery(1)).decide('ack');
    expect(deliveries.map(({ body, redelivered }) => [body.n, redelivered])).toEqual([
      [1, false],
      [2, false],
    ]);
    expect(await left()).toEqual([]);
  });

  it('of ack counts too when the connection is closed right behind it', async () => {
    const { send, delivery, left } = await setup();
    for (const n of [1, 2, 3]) await send(n);
    const held = [await delivery(0), await delivery(1), await delivery(2)];
    held[0]?.decide('ack');
    held[1]?.decide('ack');
    expect(await left()).toEqual([{ n: 3 }]);
  });

  it('of requeue gives the message back, for anybody, flagged as redelivered', async () => {
    const { send, delivery, left } = await setup();
    const messageId = randomUUID();
    await send(1, { messageId });
    (await delivery(0)).decide('requeue');
    const again = await delivery(1);
    expect(again).toMatchObject({ body: { n: 1 }, messageId, redelivered: true });
    expect(again.signal.aborted).toBe(false);
    expect(await left()).toEqual([{ n: 1 }]);
  });

  it('that is thrown gives the message back and is told', async () => {
    const { send, delivery, faults, left } = await setup();
    await send(1);
    (await delivery(0)).fail(new Error('no idea'));
    const again = await delivery(1);
    expect(again).toMatchObject({ redelivered: true, deliveryCount: 1 });
    expect(faults).toEqual(['no idea']);
    again.decide('ack');
    expect(await left()).toEqual([]);
  });

  it('of later gives the message back too, and the broker counts it', async () => {
    const { send, delivery, faults, left } = await setup();
    await send(1);
    (await delivery(0)).decide('later');
    expect(await delivery(1)).toMatchObject({ redelivered: true, deliveryCount: 1 });
    expect([faults, await left()]).toEqual([[], [{ n: 1 }]]);
  });
});

describe('what nobody can read', () => {
  it.each([
    ['malformed JSON', '{"n":', randomUUID(), /^not JSON: /],
    ['a body that does not fit', '{"n":"one"}', randomUUID(), /^\/n: .*expected (number|int)/],
    ['no message_id', '{"n":1}', undefined, /^message_id is not a UUID$/],
    ['a message_id that is no UUID', '{"n":1}', 'ring-1', /^message_id is not a UUID$/],
  ])('goes to the dead letters once, with the reason: %s', async (_what, content, messageId, reason) => {
    const { send, delivery, deliveries, observer, faults, left, taken } = await setup({ prefetch: 1 });
    await send(content, messageId === undefined ? {} : { messageId });
    await send(2);
    (await delivery(0)).decide('ack'); // with a prefetch of 1, what came before it is settled
    expect(deliveries.map(({ body }) => body.n)).toEqual([2]);
    const letter = await observer.get(topology.dead, { noAck: true });
    if (!letter) throw new Error('no dead letter');
    const headers = letter.properties.headers ?? {};
    expect(headers['x-offload-reason']).toMatch(reason);
    expect(headers['x-offload-queue']).toBe('default');
    expect(letter.properties).toMatchObject({ type: 'ring', deliveryMode: 2, ...(messageId && { messageId }) });
    expect(letter.content.toString()).toBe(content);
    expect(faults).toEqual([expect.stringMatching(/^dead-lettered: /)]);
    expect(await left()).toEqual([]);
    expect(await taken(topology.dead)).toEqual([]);
  });

  it('stays with us while the dead letters cannot be sent, instead of going round and round', async () => {
    const publish = jest.fn<Publisher['publish']>().mockRejectedValueOnce(new BrokerUnavailableError('away'));
    const { send, delivery, faults, left } = await setup({ prefetch: 1, deadLetters: { publish } });
    await send('nonsense');
    await send(2);
    (await delivery(0)).decide('ack');
    expect(publish).toHaveBeenCalledTimes(2);
    expect(faults).toEqual(['away', expect.stringMatching(/^dead-lettered: not JSON/)]);
    expect(await left()).toEqual([]);
  });

  it('goes back to the queue when we go before its dead letter could be sent', async () => {
    const publish = jest.fn<Publisher['publish']>().mockRejectedValue(new BrokerUnavailableError('away'));
    const { send, taken, left } = await setup({ deadLetters: { publish } });
    await send('"nonsense"');
    await eventually(() => expect(publish).toHaveBeenCalled());
    expect(await left()).toEqual(['nonsense']);
    expect(await taken(topology.dead)).toEqual([]);
  });
});

describe('consume', () => {
  it('holds no more deliveries than its prefetch', async () => {
    const { send, delivery, deliveries, observer } = await setup({ prefetch: 2 });
    for (const n of [1, 2, 3, 4]) await send(n);
    const [first] = [await delivery(0), await delivery(1)];
    expect(await observer.checkQueue(queue)).toMatchObject({ messageCount: 2 });
    expect(deliveries).toHaveLength(2);
    first.decide('ack');
    expect((await delivery(2)).body.n).toBe(3);
    expect(await observer.checkQueue(queue)).toMatchObject({ messageCount: 1 });
    expect(deliveries).toHaveLength(3);
  });

  it('subscribes again after its connection is cut: the signal fires, the message comes back as redelivered', async () => {
    const { send, delivery, consumer, cut, left } = await setup();
    await send(1);
    const lost = await delivery(0);
    expect([lost.signal.aborted, consumer.active]).toEqual([false, true]);
    cut();
    await eventually(() => expect(lost.signal.aborted).toBe(true));
    const again = await delivery(1);
    expect(again).toMatchObject({ messageId: lost.messageId, redelivered: true, deliveryCount: 1 });
    expect([again.signal.aborted, consumer.active]).toEqual([false, true]);
    lost.decide('ack'); // too late: it must not end the new delivery
    await send(2);
    (await delivery(2)).decide('ack');
    expect(await left()).toEqual([{ n: 1 }]);
  });

  it('subscribes again after its queue is deleted and declared again, whatever verdict comes meanwhile', async () => {
    const { send, delivery, consumer, observer, connection, faults } = await setup();
    for (const n of [1, 2, 3]) await send(n);
    const lost = [await delivery(0), await delivery(1), await delivery(2)];
    await observer.deleteQueue(queue);
    lost[0]?.decide('ack');
    await eventually(() => expect(lost[1]?.signal.aborted).toBe(true));
    lost[1]?.decide('requeue');
    lost[2]?.fail(new Error('told'));
    await eventually(() => expect(connection.state).toBe('connecting'));
    expect(consumer.active).toBe(false);

    const another = await openConnection({ url: vhost.amqpUrl, name: 'another' });
    opened.push(another);
    await declareTopology(another, ['default']);
    await eventually(() => expect([consumer.active, connection.state]).toEqual([true, 'open']));
    await send(4);
    expect((await delivery(3)).body.n).toBe(4);
    expect(faults).toEqual(['told']);
  });

  it('shares the messages of a queue with another consumer, which gets those of a lost one', async () => {
    const one = await setup({ prefetch: 1 });
    const other = await setup({ prefetch: 1 });
    await one.send(1);
    await one.send(2);
    const [mine, yours] = [await one.delivery(0), await other.delivery(0)];
    expect([mine.body.n, yours.body.n].sort()).toEqual([1, 2]);
    await one.connection.close();
    yours.decide('ack');
    expect(await other.delivery(1)).toMatchObject({ messageId: mine.messageId, redelivered: true });
  });
});

describe('cancel', () => {
  it('stops deliveries; what runs can still be acknowledged', async () => {
    const { send, delivery, deliveries, consumer, observer, left } = await setup();
    await send(1);
    const running = await delivery(0);
    await Promise.all([consumer.cancel(), consumer.cancel()]);
    expect(consumer.active).toBe(false);
    await send(2);
    expect(await observer.checkQueue(queue)).toMatchObject({ messageCount: 1 });
    expect(running.signal.aborted).toBe(false);
    running.decide('ack');
    expect(await left()).toEqual([{ n: 2 }]);
    expect(deliveries).toHaveLength(1);
  });

  it('holds after a reconnect, and while the connection is away', async () => {
    const { send, delivery, deliveries, consumer, cut, connection, observer } = await setup();
    await send(1);
    await delivery(0);
    cut();
    await consumer.cancel();
    await eventually(() => expect(connection.state).toBe('open'));
    await eventually(async () => expect(await observer.checkQueue(queue)).toMatchObject({ messageCount: 1 }));
    expect(await observer.checkQueue(queue)).toMatchObject({ consumerCount: 0 });
    expect(deliveries).toHaveLength(1);
  });

  it('holds when it comes before the first subscription', async () => {
    const connection = await openConnection({ url: vhost.amqpUrl, name: 'spec' });
    opened.push(connection);
    const deadLetters = createPublisher(connection);
    void declareTopology(connection, ['default']);
    const handle = () => Promise.resolve<Verdict>('ack');
    const consumer = consume(connection, { queue, prefetch: 1, schema, deadLetters, handle, onFault: () => undefined });
    let channel!: ConfirmChannel;
    const ready = connection.keepChannel(async (opened) => void (channel = opened));
    await consumer.cancel();
    await ready;
    expect(await channel.checkQueue(queue)).toMatchObject({ consumerCount: 0 });
    expect(consumer.active).toBe(false);
  });
});
