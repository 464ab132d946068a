import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { eventually, takeAll } from '@offload/spec-kit';
import { consume } from './consumer.ts';
import { text } from './message.ts';
import { consumersOn, topology } from './spec-consumer.ts';
import { channelOf, useVhost } from './spec-vhost.ts';

const vhost = useVhost();
const setup = consumersOn(vhost);

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
    const properties = { messageId: 'anything', correlationId: 'order 7', timestamp: 1_790_000_000, type: 'number' };
    await send(1, { ...properties, headers });
    expect(await delivery(0)).toMatchObject({
      messageId: 'anything',
      correlationId: 'order 7',
      timestamp: new Date(1_790_000_000_000),
      traceparent,
      headers: { more: 'yes' },
    });
  });

  it('of a client that says nothing of all this is as good', async () => {
    const { send, delivery } = await setup();
    await send(1, {});
    await send(2, { headers: { traceparent: '00-00000000000000000000000000000000-b7ad6b7169203331-01' } });
    const nothing = { messageId: undefined, correlationId: undefined, timestamp: undefined, traceparent: undefined };
    expect([await delivery(0), await delivery(1)]).toMatchObject([nothing, nothing]);
  });
});

describe('the signal of a delivery', () => {
  it('is that of all deliveries of its channel, and of none that comes after it is lost', async () => {
    const { send, delivery, way } = await setup();
    for (const n of [1, 2]) await send(n);
    const [one, other] = [await delivery(0), await delivery(1)];
    way.cut();
    await eventually(() => expect([one.signal.aborted, other.signal.aborted]).toEqual([true, true]));
    expect((await delivery(2)).signal.aborted).toBe(false);
  });
});

describe('options of a consumer', () => {
  it.each([-1, 0, 70_000, 1.5, '5' as unknown as number])('do not take %j as prefetch', async (prefetch) => {
    await expect(setup({ prefetch })).rejects.toThrow(/^prefetch: /);
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
    expect((await drained).slice(2).sort()).toEqual(['acked inbox', 'requeued inbox']);
    expect((await left()).map((body) => (body as { n: number }).n).sort()).toEqual([2, 3]);
    expect(deliveries).toHaveLength(2);
  });

  it('has every verdict with the broker, although the connection is closed right behind it', async () => {
    for (let round = 0; round < 10; round += 1) {
      const { connection } = vhost.connect({ topology });
      const observer = await vhost.observer();
      for (let n = 0; n < 50; n += 1) observer.sendToQueue('inbox', Buffer.from(`${n}`));
      await observer.waitForConfirms();
      let finish: () => void = () => undefined;
      const finished = new Promise<void>((resolve) => (finish = resolve));
      let begun = 0;
      const handle = () => {
        begun += 1;
        return finished;
      };
      const consumer = consume(connection, { queue: 'inbox', message: text, prefetch: 50, handle });
      await eventually(() => expect(begun).toBe(50));
      const drained = consumer.drain();
      finish();
      await drained;
      await connection.close();
      expect(await takeAll(observer, 'inbox')).toEqual([]);
    }
  });

  it('ends at once when nothing is under way, and while the connection is away', async () => {
    const { consumer, way } = await setup();
    way.shut();
    way.cut();
    await consumer.drain();
    expect(consumer.active).toBe(false);
  });

  it('waits for a cancel under way, after which no handler begins', async () => {
    const { connection } = vhost.connect({ topology });
    const observer = await vhost.observer();
    await connection.opened;
    for (let n = 0; n < 200; n += 1) observer.sendToQueue('inbox', Buffer.from(`${n}`));
    await observer.waitForConfirms();
    for (let round = 0; round < 10; round += 1) {
      let begun = 0;
      const handle = () => void (begun += 1);
      const consumer = consume(connection, { queue: 'inbox', message: text, prefetch: 1, handle });
      if (round % 2 === 0) await eventually(() => expect(begun).toBeGreaterThan(0));
      void consumer.cancel();
      await consumer.drain();
      const begunBy = begun;
      await observer.checkQueue('inbox');
      expect(begun).toBe(begunBy);
    }
    await connection.close();
  });
});
