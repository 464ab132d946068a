import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, jest } from '@jest/globals';
import { eventually, takeAll } from '@offload/spec-kit';
import { consume } from './consumer.ts';
import { BrokerUnavailableError, DeliveryLostError } from './errors.ts';
import { text } from './message.ts';
import { createPublisher, type Publisher } from './publisher.ts';
import { consumersOn, topology, type Message } from './spec-consumer.ts';
import { channelOf, useVhost } from './spec-vhost.ts';

const vhost = useVhost();
const setup = consumersOn(vhost);

/** A channel as amqplib sees it from within. */
type Consuming = { consumers?: Map<string, unknown>; ack(message: { fields: { deliveryTag: number } }): void };

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

  it('subscribes again after its connection is cut: the signal fires, the message is redelivered', async () => {
    const { send, delivery, consumer, way, steps, losses, left } = await setup();
    await send(1);
    const lost = await delivery(0);
    expect([lost.signal.aborted, consumer.active]).toEqual([false, true]);
    way.cut();
    await eventually(() => expect(lost.signal.aborted).toBe(true));
    expect(lost.signal.reason).not.toBeInstanceOf(DeliveryLostError);
    const again = await delivery(1);
    expect(again).toMatchObject({ messageId: lost.messageId, redelivered: true, deliveryCount: 1 });
    expect([again.signal.aborted, consumer.active]).toEqual([false, true]);
    lost.decide('ack'); // too late: it must not end the new delivery
    await eventually(() => expect(steps.at(-1)).toBe('lost inbox'));
    await send(2);
    (await delivery(2)).decide('ack');
    expect(await left()).toEqual([{ n: 1 }]);
    expect(losses).toEqual([]); // the state reports a lost connection
  });

  it('reports no fault when a handler throws because its signal fired', async () => {
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

  it('declares its deleted queue and subscribes again, also when a verdict comes meanwhile', async () => {
    const { send, delivery, consumer, observer, becomes, faults, losses } = await setup();
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
    expect(lost[1]?.signal.reason).toBeInstanceOf(DeliveryLostError);
    expect(losses).toEqual([expect.stringMatching(/cancelled the subscription to inbox: the queue was deleted/)]);
  });

  it('subscribes again after a protocol error has closed its channel', async () => {
    const { send, delivery, connection, consumer, losses, left } = await setup();
    await send(1);
    const lost = await delivery(0);
    const { latest } = await channelOf(connection);
    const { channels } = latest.connection as unknown as { channels: { channel: Consuming }[] };
    const consuming = channels.find(({ channel }) => channel.consumers?.size)?.channel;
    consuming?.ack({ fields: { deliveryTag: 999 } }); // PRECONDITION_FAILED - unknown delivery tag 999
    await eventually(() => expect(lost.signal.aborted).toBe(true));
    expect(lost.signal.reason).toBeInstanceOf(DeliveryLostError);
    expect(lost.signal.reason.message).toMatch(/406 .*unknown delivery tag 999/);
    expect(losses).toEqual([lost.signal.reason.message]);
    expect(await delivery(1)).toMatchObject({ messageId: lost.messageId, redelivered: true });
    expect([consumer.active, await left()]).toEqual([true, [{ n: 1 }]]);
  });

  it('shares a queue with another consumer, which gets the messages of a lost consumer', async () => {
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

  it('receives the text of another AMQP client', async () => {
    const { connection } = vhost.connect({ topology });
    const heard: string[] = [];
    consume(connection, { queue: 'inbox', message: text, handle: ({ body }) => void heard.push(body) });
    const observer = await vhost.observer();
    await connection.opened; // RabbitMQ drops a message for a queue that is not declared yet
    observer.sendToQueue('inbox', Buffer.from('grüß dich'));
    await eventually(() => expect(heard).toEqual(['grüß dich']));
  });
});

describe('a message that no consumer can read', () => {
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
    (await delivery(0)).decide('ack'); // with a prefetch of 1, earlier messages are settled
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

  it('becomes a dead letter also when a handler rejects it', async () => {
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

  it('stays unacknowledged while its dead letter cannot be published, instead of being redelivered again and again', async () => {
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

  it('returns to the queue when the consumer closes before the dead letter is published', async () => {
    const forward = jest.fn<Publisher['forward']>().mockRejectedValue(new BrokerUnavailableError('away'));
    const { send, observer, left } = await setup({ deadLetters: { publisher: { forward }, exchange: 'gone' } });
    await send('"nonsense"');
    await eventually(() => expect(forward).toHaveBeenCalled());
    expect(await left()).toEqual(['nonsense']);
    expect(await takeAll(observer, 'lost')).toEqual([]);
  });

  it("goes to the queue's own dead-letter exchange, without the reason, when one more header does not fit", async () => {
    const { send, observer, steps, faults, left } = await withDeadLetters();
    await send('no', { headers: { big: 'x'.repeat(65_450) } });
    await eventually(() => expect(steps).toContain('rejected inbox'));
    expect(faults).toEqual([expect.stringMatching(/^rejected: not JSON/), expect.any(String)]);
    await eventually(async () => expect(await takeAll(observer, 'lost')).toEqual(['no']));
    expect(await left()).toEqual([]);
  });

  it('is reported when it is a verdict, and the message is redelivered', async () => {
    const { send, delivery, faults } = await setup();
    await send(1);
    (await delivery(0)).decide('nope' as never);
    expect(await delivery(1)).toMatchObject({ redelivered: true });
    expect(faults).toEqual(['nope is no verdict']);
  });
});
