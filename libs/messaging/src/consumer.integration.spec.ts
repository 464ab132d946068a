import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, jest } from '@jest/globals';
import { eventually, openProxy } from '@offload/testing';
import { z } from 'zod';
import { consume, type ConsumerOptions, type Verdict } from './consumer.ts';
import type { Delivery } from './delivery.ts';
import { BrokerUnavailableError } from './errors.ts';
import { text } from './message.ts';
import { createPublisher, type Publisher } from './publisher.ts';
import { channelOf, takeAll, useVhost } from './spec-vhost.ts';

const vhost = useVhost();
const number = { type: 'number', version: 2, schema: z.object({ n: z.int() }) };
const topology = {
  exchanges: { to: { type: 'direct' }, gone: { type: 'fanout' } },
  queues: {
    inbox: { bindings: [{ exchange: 'to', routingKey: 'in' }], deadLetterExchange: 'gone' },
    lost: { bindings: [{ exchange: 'gone' }] },
  },
} as const;

/** A channel as amqplib sees it from within. */
type Consuming = { consumers?: Map<string, unknown>; ack(message: { fields: { deliveryTag: number } }): void };
type Message = Delivery<{ n: number }>;
/** A delivery that waits for the test to decide. */
type Held = Message & { decide(verdict: Verdict): void; fail(error: Error): void };

/** A consumer whose deliveries the test decides upon, and somebody who sends and looks. */
async function setup(options: Partial<ConsumerOptions<typeof number>> = {}) {
  const way = vhost.closeAfterwards(await openProxy(vhost.url));
  const { connection, steps, faults, becomes } = vhost.connect({ url: way.url, topology });
  const observer = await vhost.observer();
  const deliveries: Held[] = [];
  const handle = (message: Message): Promise<Verdict> =>
    new Promise((resolve, reject) => deliveries.push({ ...message, decide: resolve, fail: reject }));
  const consumer = consume(connection, { queue: 'inbox', message: number, handle, ...options });
  await connection.keepChannel(async () => undefined); // and the consumer's is open before

  async function send(body: unknown, properties: Record<string, unknown> = { messageId: randomUUID() }) {
    const content = typeof body === 'string' ? body : JSON.stringify({ n: body });
    observer.publish('to', 'in', Buffer.from(content), { persistent: true, ...properties });
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
    await connection.close();
    await eventually(async () => expect(await observer.checkQueue('inbox')).toMatchObject({ consumerCount: 0 }));
    return (await takeAll(observer, 'inbox')).map((body) => JSON.parse(body));
  }
  return { connection, becomes, consumer, observer, way, deliveries, steps, faults, send, delivery, left };
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

  it('is ack when the handler returns nothing', async () => {
    const heard: number[] = [];
    const { send, left, steps } = await setup({ handle: ({ body }) => void heard.push(body.n) });
    await send(1);
    await eventually(() => expect(steps).toEqual(['consumed inbox', 'acked inbox']));
    expect([heard, await left()]).toEqual([[1], []]);
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
    const { send, delivery, left, steps } = await setup();
    const messageId = randomUUID();
    await send(1, { messageId });
    (await delivery(0)).decide('requeue');
    const again = await delivery(1);
    expect(again).toMatchObject({ body: { n: 1 }, messageId, redelivered: true });
    expect(again.signal.aborted).toBe(false);
    expect(steps).toEqual(['consumed inbox', 'requeued inbox', 'consumed inbox']);
    expect(await left()).toEqual([{ n: 1 }]);
  });

  it('that is thrown gives the message back, counted by the broker, and is told', async () => {
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

  it('of reject lets the queue dead-letter the message, and is told with its reason', async () => {
    const { send, delivery, faults, left, observer, steps } = await setup();
    await send(1);
    (await delivery(0)).decide({ reject: 'of no use' });
    await eventually(async () => expect(await takeAll(observer, 'lost')).toEqual(['{"n":1}']));
    expect(faults).toEqual(['rejected: of no use']);
    expect(steps).toEqual(['consumed inbox', 'rejected inbox']);
    expect(await left()).toEqual([]);
  });
});

describe('a delivery', () => {
  it('carries who sent it when, and the trace it belongs to', async () => {
    const { send, delivery } = await setup();
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const headers = { traceparent, 'x-schema-version': 2, more: 'yes' };
    await send(1, { messageId: 'anything', timestamp: 1_790_000_000, type: 'number', headers });
    expect(await delivery(0)).toMatchObject({
      messageId: 'anything',
      timestamp: new Date(1_790_000_000_000),
      traceparent,
      headers: { more: 'yes' },
    });
  });

  it('of a client that says nothing of all this is as good', async () => {
    const { send, delivery } = await setup();
    await send(1, {});
    await send(2, { headers: { traceparent: '00-00000000000000000000000000000000-b7ad6b7169203331-01' } });
    const nothing = { messageId: undefined, timestamp: undefined, traceparent: undefined };
    expect([await delivery(0), await delivery(1)]).toMatchObject([nothing, nothing]);
  });
});

describe('what nobody can read', () => {
  /** The consumer's dead letters go out on another connection. */
  async function withDeadLetters() {
    const { connection } = vhost.connect({ topology });
    return setup({ prefetch: 1, deadLetters: { publisher: createPublisher(connection), exchange: 'gone' } });
  }

  it.each([
    ['malformed JSON', '{"n":', {}, /^not JSON: /],
    ['a body that does not fit', '{"n":"one"}', {}, /^\/n: .*expected (number|int)/],
    [
      'a version from the future',
      '{"n":1}',
      { headers: { 'x-schema-version': 3 } },
      /^its schema version 3 is unknown/,
    ],
    ['another type', '{"n":1}', { type: 'letter' }, /^its type is "letter", not "number"$/],
  ])('goes to the dead letters once, with the reason: %s', async (_what, content, properties, reason) => {
    const { send, delivery, deliveries, observer, faults, steps, left } = await withDeadLetters();
    await send(content, { messageId: 'its own', ...properties });
    await send(2);
    (await delivery(0)).decide('ack'); // with a prefetch of 1, what came before it is settled
    expect(deliveries.map(({ body }) => body.n)).toEqual([2]);
    const letter = await observer.get('lost', { noAck: true });
    if (!letter) throw new Error('no dead letter');
    expect(letter.properties.headers).toMatchObject({ 'x-offload-queue': 'in' });
    expect(letter.properties.headers?.['x-offload-reason']).toMatch(reason);
    expect(letter.properties).toMatchObject({ messageId: 'its own', deliveryMode: 2 });
    expect(letter.content.toString()).toBe(content);
    expect(faults).toEqual([expect.stringMatching(/^rejected: /)]);
    expect(steps.slice(0, 2)).toEqual(['consumed inbox', 'rejected inbox']);
    expect([await left(), await takeAll(observer, 'lost')]).toEqual([[], []]);
  });

  it('goes there as well when a handler rejects it', async () => {
    const { send, delivery, observer, left } = await withDeadLetters();
    await send(1);
    (await delivery(0)).decide({ reject: 'x'.repeat(1_000) });
    const letter = await eventually(async () => {
      const found = await observer.get('lost', { noAck: true });
      if (!found) throw new Error('no dead letter');
      return found;
    });
    expect(letter.properties.headers?.['x-offload-reason']).toBe('x'.repeat(500));
    expect(await left()).toEqual([]);
  });

  it('stays with us while the dead letters cannot be sent, instead of going round and round', async () => {
    const forward = jest.fn<Publisher['forward']>().mockRejectedValueOnce(new BrokerUnavailableError('away'));
    const deadLetters = { publisher: { forward }, exchange: 'gone' };
    const { send, delivery, faults, left } = await setup({ prefetch: 1, deadLetters });
    await send('nonsense');
    await send(2);
    (await delivery(0)).decide('ack');
    expect(forward).toHaveBeenCalledTimes(2);
    expect(faults).toEqual([expect.stringMatching(/^rejected: not JSON/), 'away']);
    expect(await left()).toEqual([]);
  });

  it('goes back to the queue when we go before its dead letter could be sent', async () => {
    const forward = jest.fn<Publisher['forward']>().mockRejectedValue(new BrokerUnavailableError('away'));
    const { send, observer, left } = await setup({ deadLetters: { publisher: { forward }, exchange: 'gone' } });
    await send('"nonsense"');
    await eventually(() => expect(forward).toHaveBeenCalled());
    expect(await left()).toEqual(['nonsense']);
    expect(await takeAll(observer, 'lost')).toEqual([]);
  });
});

describe('consume', () => {
  it('holds no more deliveries than its prefetch', async () => {
    const { send, delivery, deliveries, observer } = await setup({ prefetch: 2 });
    for (const n of [1, 2, 3, 4]) await send(n);
    const [first] = [await delivery(0), await delivery(1)];
    expect(await observer.checkQueue('inbox')).toMatchObject({ messageCount: 2 });
    expect(deliveries).toHaveLength(2);
    first.decide('ack');
    expect((await delivery(2)).body.n).toBe(3);
    expect(await observer.checkQueue('inbox')).toMatchObject({ messageCount: 1 });
    expect(deliveries).toHaveLength(3);
  });

  it('subscribes again after its connection is cut: the signal fires, the message comes back as redelivered', async () => {
    const { send, delivery, consumer, way, steps, left } = await setup();
    await send(1);
    const lost = await delivery(0);
    expect([lost.signal.aborted, consumer.active]).toEqual([false, true]);
    way.cut();
    await eventually(() => expect(lost.signal.aborted).toBe(true));
    const again = await delivery(1);
    expect(again).toMatchObject({ messageId: lost.messageId, redelivered: true, deliveryCount: 1 });
    expect([again.signal.aborted, consumer.active]).toEqual([false, true]);
    lost.decide('ack'); // too late: it must not end the new delivery
    await eventually(() => expect(steps.at(-1)).toBe('lost inbox'));
    await send(2);
    (await delivery(2)).decide('ack');
    expect(await left()).toEqual([{ n: 1 }]);
  });

  it('takes what a handler throws because its signal fired for no fault', async () => {
    const handle = ({ signal }: Message) => delay(60_000, undefined, { signal });
    const { send, steps, faults, way } = await setup({ handle });
    await send(1);
    await eventually(() => expect(steps).toEqual(['consumed inbox']));
    way.cut();
    await eventually(() =>
      expect(steps.slice(0, 3).sort()).toEqual(['consumed inbox', 'consumed inbox', 'lost inbox']),
    );
    expect(faults).toEqual([]);
  });

  it('declares its queue and subscribes again after it is deleted, whatever verdict comes meanwhile', async () => {
    const { send, delivery, consumer, observer, becomes, faults } = await setup();
    for (const n of [1, 2, 3]) await send(n);
    const lost = [await delivery(0), await delivery(1), await delivery(2)];
    await observer.deleteQueue('inbox');
    lost[0]?.decide('ack');
    await eventually(() => expect(lost[1]?.signal.aborted).toBe(true));
    lost[1]?.decide('requeue');
    lost[2]?.fail(new Error('told'));
    await eventually(() => expect(consumer.active).toBe(true));
    await becomes('open');
    await send(4);
    expect((await delivery(3)).body.n).toBe(4);
    expect(faults).toEqual(['told']);
  });

  it('subscribes again after a protocol error has closed its channel', async () => {
    const { send, delivery, connection, consumer, left } = await setup();
    await send(1);
    const lost = await delivery(0);
    const { latest } = await channelOf(connection);
    const { channels } = latest.connection as unknown as { channels: { channel: Consuming }[] };
    const consuming = channels.find(({ channel }) => channel.consumers?.size)?.channel;
    consuming?.ack({ fields: { deliveryTag: 999 } }); // PRECONDITION_FAILED - unknown delivery tag 999
    await eventually(() => expect(lost.signal.aborted).toBe(true));
    expect(await delivery(1)).toMatchObject({ messageId: lost.messageId, redelivered: true });
    expect([consumer.active, await left()]).toEqual([true, [{ n: 1 }]]);
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

  it('takes the text of any other client', async () => {
    const { connection } = vhost.connect({ topology });
    const heard: string[] = [];
    consume(connection, { queue: 'inbox', message: text, handle: ({ body }) => void heard.push(body) });
    const observer = await vhost.observer();
    observer.sendToQueue('inbox', Buffer.from('grüß dich'));
    await eventually(() => expect(heard).toEqual(['grüß dich']));
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
    expect(await observer.checkQueue('inbox')).toMatchObject({ messageCount: 1 });
    expect(running.signal.aborted).toBe(false);
    running.decide('ack');
    expect(await left()).toEqual([{ n: 2 }]);
    expect(deliveries).toHaveLength(1);
  });

  it('holds after a reconnect, and while the connection is away', async () => {
    const { send, delivery, deliveries, consumer, way, becomes, observer } = await setup();
    await send(1);
    await delivery(0);
    way.cut();
    await consumer.cancel();
    await becomes('open');
    await eventually(async () => expect(await observer.checkQueue('inbox')).toMatchObject({ messageCount: 1 }));
    expect(await observer.checkQueue('inbox')).toMatchObject({ consumerCount: 0 });
    expect(deliveries).toHaveLength(1);
  });

  it('holds when it comes before the first subscription', async () => {
    const { connection } = vhost.connect({ topology });
    const consumer = consume(connection, { queue: 'inbox', message: text, handle: () => 'ack' });
    const ready = channelOf(connection);
    await consumer.cancel();
    expect(await (await ready).latest.checkQueue('inbox')).toMatchObject({ consumerCount: 0 });
    expect(consumer.active).toBe(false);
  });
});

describe('drain', () => {
  it('stops deliveries and waits for those under way, up to their verdicts', async () => {
    const { send, delivery, deliveries, consumer, steps, left } = await setup();
    for (const n of [1, 2]) await send(n);
    const [one, two] = [await delivery(0), await delivery(1)];
    await consumer.cancel();
    const drained = consumer.drain().then(() => [...steps]);
    await send(3);
    one.decide('ack');
    two.decide('requeue');
    expect((await drained).slice(2)).toEqual(['acked inbox', 'requeued inbox']);
    expect((await left()).map((body) => (body as { n: number }).n).sort()).toEqual([2, 3]);
    expect(deliveries).toHaveLength(2);
  });

  it('ends at once when nothing is under way, and while the connection is away', async () => {
    const { consumer, way } = await setup();
    way.shut();
    way.cut();
    await consumer.drain();
    expect(consumer.active).toBe(false);
  });
});
