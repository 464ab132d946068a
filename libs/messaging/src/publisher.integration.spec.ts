import type { EventEmitter } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { eventually, openProxy } from '@offload/testing';
import type { ConsumeMessage } from 'amqplib';
import { z } from 'zod';
import { BrokerUnavailableError, PublishRefusedError } from './errors.ts';
import { text } from './message.ts';
import { createPublisher, type PublishOptions, type PublisherOptions } from './publisher.ts';
import { channelOf, takeAll, useVhost } from './spec-vhost.ts';

const vhost = useVhost();
const note = { type: 'note', version: 1, schema: z.unknown() };
const topology = {
  exchanges: { to: { type: 'direct' } },
  queues: { inbox: { bindings: [{ exchange: 'to', routingKey: 'inbox' }] } },
} as const;

/** A publisher behind a proxy, and somebody who looks. */
async function setup(options?: PublisherOptions) {
  const way = vhost.closeAfterwards(await openProxy(vhost.url));
  const { connection, steps, states, becomes } = vhost.connect({ url: way.url, topology });
  const publisher = createPublisher(connection, options);
  const channel = await channelOf(connection); // and the publisher's is open before
  const observer = await vhost.observer();
  const publish = (body: unknown, { to = 'inbox', ...more }: PublishOptions & { to?: string } = {}) =>
    publisher.publish(note, body, { exchange: 'to', routingKey: to, ...more });
  return {
    publisher,
    publish,
    connection,
    becomes,
    steps,
    states,
    observer,
    way,
    inbox: async (): Promise<unknown[]> => (await takeAll(observer, 'inbox')).map((body) => JSON.parse(body)),
    /** As on connection.blocked and unblocked; a real alarm, which hits every vhost, is in broker-faults. */
    tell: (event: 'blocked' | 'unblocked') =>
      (channel.latest.connection as unknown as EventEmitter).emit(event, 'low on memory'),
  };
}

/** How each call ended. */
const outcomes = async (calls: Promise<void>[]): Promise<(string | undefined)[]> =>
  Promise.all(
    calls.map((call) =>
      call.then(
        () => undefined,
        (error: Error) => `${error.name}: ${error.message}`,
      ),
    ),
  );

describe('publish', () => {
  it('resolves once the broker has the message, persistent and with its properties', async () => {
    const { publisher, observer } = await setup();
    const before = Math.floor(Date.now() / 1_000);
    const body = { text: 'ö\u0000' };
    await publisher.publish(note, body, {
      exchange: 'to',
      routingKey: 'inbox',
      messageId: '019ac000-0000-7000-8000-000000000000',
      priority: 3,
      headers: { 'x-reason': 'none' },
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    });
    const message = await observer.get('inbox', { noAck: true });
    if (!message) throw new Error('not there');
    const { properties, content } = message;
    expect(JSON.parse(content.toString())).toEqual(body);
    expect(properties).toMatchObject({
      messageId: '019ac000-0000-7000-8000-000000000000',
      type: 'note',
      contentType: 'application/json',
      deliveryMode: 2,
      priority: 3,
      headers: {
        'x-reason': 'none',
        'x-schema-version': 1,
        traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      },
    });
    expect(properties.timestamp).toBeGreaterThanOrEqual(before);
    expect(properties.timestamp).toBeLessThanOrEqual(Date.now() / 1_000);
  });

  it('sends text that every other client can read, straight to a queue', async () => {
    const { publisher, observer } = await setup();
    await publisher.publish(text, 'grüß dich', { queue: 'inbox' });
    const message = await observer.get('inbox', { noAck: true });
    expect(message && message.content.toString()).toBe('grüß dich');
    expect(message && message.properties).toMatchObject({ contentType: 'text/plain', deliveryMode: 2 });
  });

  it('gives each message an id of its own', async () => {
    const { publish, observer } = await setup();
    await Promise.all([publish(1), publish(2)]);
    const ids = [await observer.get('inbox'), await observer.get('inbox')].map(
      (got) => got && got.properties.messageId,
    );
    expect(ids[0]).toMatch(/^[0-9a-f-]{36}$/);
    expect(ids[0]).not.toBe(ids[1]);
  });

  it('keeps the order of many at once', async () => {
    const { publish, inbox } = await setup();
    const numbers = Array.from({ length: 500 }, (_, index) => index);
    await Promise.all(numbers.map((number) => publish(number)));
    expect(await inbox()).toEqual(numbers);
  });

  it('is refused when no queue is bound, unless that is fine', async () => {
    const { publish, inbox, steps } = await setup();
    const nowhere = { to: 'nowhere' };
    const ended = await outcomes([
      publish(1),
      publish(2, nowhere),
      publish(3),
      publish(4, { ...nowhere, mandatory: false }),
    ]);
    expect(ended).toEqual([undefined, 'PublishRefusedError: returned: NO_ROUTE', undefined, undefined]);
    expect(steps.filter((step) => step !== 'published to').sort()).toEqual([
      'confirmed to',
      'confirmed to',
      'confirmed to',
      'returned to',
    ]);
    await expect(publish(5, nowhere)).rejects.toThrow(PublishRefusedError);
    expect(await inbox()).toEqual([1, 3]);
  });

  it('is refused by a queue that is full and takes no more, and that is told from a fault', async () => {
    const full = { 'x-max-length': 1, 'x-overflow': 'reject-publish' };
    const { connection, steps } = vhost.connect({
      topology: { queues: { full: { type: 'classic', arguments: full } } },
    });
    const publisher = createPublisher(connection);
    await publisher.publish(text, 'first', { queue: 'full' });
    const second = publisher.publish(text, 'second', { queue: 'full' });
    await expect(second).rejects.toMatchObject({ code: 'publish-refused', message: expect.stringContaining('nack') });
    expect(steps).toEqual(['published ', 'confirmed ', 'published ', 'nacked ']);
    expect(await takeAll(await vhost.observer(), 'full')).toEqual(['first']);
  });

  it('tells messages of one id apart', async () => {
    const { publish, inbox } = await setup();
    const send = (to: string) => publish(to, { to, messageId: 'twin' });
    const ended = await outcomes(['nowhere', 'inbox', 'nowhere', 'inbox'].map(send));
    expect(ended.map((error) => error?.split(':')[0])).toEqual([
      'PublishRefusedError',
      undefined,
      'PublishRefusedError',
      undefined,
    ]);
    expect(await inbox()).toEqual(['inbox', 'inbox']);
  });

  it('fails at once for what cannot be sent, and that is not blamed on the broker', async () => {
    const { publish, inbox } = await setup();
    await expect(publish(undefined)).rejects.toMatchObject({ name: 'TypeError' });
    await expect(publish(1n)).rejects.toMatchObject({ name: 'TypeError' });
    await expect(publish(1, { to: 'x'.repeat(256) })).rejects.not.toThrow(BrokerUnavailableError);
    await publish('fine');
    expect(await inbox()).toEqual(['fine']);
  });

  it('waits for the connection that is not open yet', async () => {
    const { connection } = vhost.connect({ topology });
    const publisher = createPublisher(connection);
    await Promise.all([1, 2].map((n) => publisher.publish(note, n, { queue: 'inbox' })));
    expect(await takeAll(await vhost.observer(), 'inbox')).toEqual(['1', '2']);
  });

  it('is still confirmed when the connection is closed right behind it', async () => {
    const { publish, connection, inbox } = await setup();
    const published = [publish(1), publish(2)];
    await connection.close();
    expect(await outcomes(published)).toEqual([undefined, undefined]);
    expect(await inbox()).toEqual([1, 2]);
  });
});

describe('a signal', () => {
  it('that has fired sends nothing', async () => {
    const { publish, inbox, steps } = await setup();
    await expect(publish(1, { signal: AbortSignal.abort(new Error('changed my mind')) })).rejects.toThrow(
      'changed my mind',
    );
    expect([steps, await inbox()]).toEqual([[], []]);
  });

  it('takes back a message that is waiting for the connection', async () => {
    const { publish, inbox, way, becomes } = await setup();
    way.shut();
    way.cut();
    await becomes('connecting');
    const giveUp = new AbortController();
    const calls = [publish('given up', { signal: giveUp.signal }), publish('kept')];
    giveUp.abort(new Error('changed my mind'));
    await expect(calls[0]).rejects.toThrow('changed my mind');
    await way.open();
    await calls[1];
    expect(await inbox()).toEqual(['kept']);
  });

  it('ends the wait for a confirm; the message arrives all the same', async () => {
    const { publish, inbox, way, steps } = await setup();
    way.hold('answers');
    const giveUp = new AbortController();
    const call = publish(1, { signal: giveUp.signal });
    giveUp.abort(new Error('changed my mind'));
    await expect(call).rejects.toThrow('changed my mind');
    way.letGo('answers');
    await eventually(() => expect(steps).toEqual(['published to', 'confirmed to']));
    expect(await inbox()).toEqual([1]);
  });
});

describe('publish without a broker', () => {
  it('waits for it, and works then', async () => {
    const { publish, inbox, way, becomes } = await setup();
    way.shut();
    way.cut();
    await becomes('connecting');
    const calls = [publish(1), publish(2)];
    await way.open();
    expect(await outcomes(calls)).toEqual([undefined, undefined]);
    expect(await inbox()).toEqual([1, 2]);
  });

  it('waits no longer than its timeout, and what is given up is not sent later', async () => {
    const { publish, inbox, way, becomes } = await setup({ timeoutMs: 50 });
    way.shut();
    way.cut();
    await becomes('connecting');
    const late = /^BrokerUnavailableError: not sent within 50 ms: .*ECONN/;
    expect(await outcomes([publish(1)])).toEqual([expect.stringMatching(late)]);
    await way.open();
    await becomes('open');
    await eventually(() => publish(2));
    expect(await inbox()).toEqual([2]);
  });

  it('fails at once where it is not to wait', async () => {
    const { publish, way, becomes, tell } = await setup({ whileAway: 'fail' });
    tell('blocked');
    await expect(publish(1)).rejects.toThrow(new BrokerUnavailableError('the broker takes nothing in: low on memory'));
    tell('unblocked');
    await publish(2);
    way.shut();
    way.cut();
    await becomes('connecting');
    await expect(publish(3)).rejects.toThrow(/^not connected to the broker: /);
    const starting = createPublisher(vhost.connect({ topology }).connection, { whileAway: 'fail' });
    await expect(starting.publish(note, 4, { queue: 'inbox' })).rejects.toThrow('not connected to the broker');
  });

  it('fails once the connection is closed, what is waiting included', async () => {
    const { publish, way, becomes, connection } = await setup();
    way.shut();
    way.cut();
    await becomes('connecting');
    const waiting = outcomes([publish(1)]);
    await connection.close();
    const closed = 'BrokerUnavailableError: the connection is closed';
    expect(await waiting).toEqual([closed]);
    expect(await outcomes([publish(2)])).toEqual([closed]);
  });

  it('fails with the reason when the broker does not let us in', async () => {
    const url = Object.assign(new URL(vhost.url), { password: 'wrong' }).href;
    const publisher = createPublisher(vhost.connect({ url }).connection);
    await expect(publisher.publish(text, 'hello', { queue: 'inbox' })).rejects.toThrow(/ACCESS_REFUSED/);
  });

  it('holds messages back while the broker blocks it, in their order', async () => {
    const { publish, tell, inbox, steps } = await setup();
    tell('blocked');
    const calls = [publish(1), publish(2)];
    expect(steps).toEqual([]);
    tell('unblocked');
    await Promise.all([...calls, publish(3)]);
    expect(await inbox()).toEqual([1, 2, 3]);
  });

  it('fails what is in flight when the channel is lost, and works again by itself', async () => {
    const { publish, way, inbox, becomes, steps } = await setup();
    way.hold('answers');
    const inFlight = [publish('a'), publish('b', { to: 'nowhere' })];
    way.cut();
    const lost = 'BrokerUnavailableError: the channel was lost before the confirm came';
    expect(await outcomes(inFlight)).toEqual([lost, lost]);
    expect(steps).toEqual(['published to', 'published to', 'unconfirmed to', 'unconfirmed to']);
    await becomes('open');
    await publish('again');
    expect((await inbox()).at(-1)).toBe('again');
  });

  it('neither loses nor makes up a confirm when it is cut again and again in the middle of 2,000 publishes', async () => {
    const { publish, way, inbox, steps, states } = await setup({ timeoutMs: 20_000 });
    const confirmed: number[] = [];
    const failed: string[] = [];
    for (let round = 0; round < 10; round += 1) {
      let untilCut = 50;
      const calls = Array.from({ length: 200 }, (_, n) =>
        publish(round * 200 + n).then(
          () => {
            confirmed.push(round * 200 + n);
            if ((untilCut -= 1) === 0) way.cut();
          },
          (error: Error) => void failed.push(error.message),
        ),
      );
      await Promise.all(calls);
      expect(untilCut).toBeLessThanOrEqual(0);
      await eventually(() => expect(states.filter(([state]) => state === 'open')).toHaveLength(round + 2)); // cut, and back
    }
    expect(confirmed.length + failed.length).toBe(2_000);
    expect(failed.filter((message) => message !== 'the channel was lost before the confirm came')).toEqual([]);
    const there = (await inbox()) as number[];
    const arrived = new Set(there);
    expect(confirmed.filter((n) => !arrived.has(n))).toEqual([]);
    expect(there).toHaveLength(arrived.size); // and none twice
    const count = (step: string) => steps.filter((each) => each === `${step} to`).length;
    expect([count('confirmed'), count('unconfirmed')]).toEqual([confirmed.length, failed.length]);
  });

  it('fails what is in flight when an exchange is missing, and works again by itself', async () => {
    const { publisher, publish, inbox } = await setup();
    const toNowhere = publisher.publish(note, 1, { exchange: 'missing' });
    await expect(toNowhere).rejects.toMatchObject({
      code: 'broker-unavailable',
      message: expect.stringMatching(
        /^the channel was lost before the confirm came: .*NOT_FOUND - no exchange 'missing'/,
      ),
    });
    await publish('again');
    expect(await inbox()).toEqual(['again']);
  });

  it('gives up on a confirm that does not come in time, yet counts it until it comes: memory stays bounded', async () => {
    const { publish, way, inbox } = await setup({ timeoutMs: 50, maxPending: 2 });
    way.hold('answers');
    const late = 'BrokerUnavailableError: not confirmed within 50 ms';
    const full = 'BrokerUnavailableError: 2 messages are not yet confirmed';
    expect(await outcomes([publish(1), publish(2), publish(3)])).toEqual([late, late, full]);
    expect(await outcomes([publish(4)])).toEqual([full]);
    way.letGo('answers');
    await eventually(() => publish(5));
    const received = await inbox();
    expect(received.slice(0, 2)).toEqual([1, 2]);
    expect(received.at(-1)).toBe(5);
  });

  it('bounds what is pending by its bytes too, and lets a single large message pass', async () => {
    const { publish, way, inbox } = await setup({ maxPendingBytes: 100 });
    const large = 'x'.repeat(1_000);
    await publish(large);
    way.hold('answers');
    const first = publish('x'.repeat(90));
    expect(await outcomes([publish('y'.repeat(90))])).toEqual([
      'BrokerUnavailableError: 92 bytes are not yet confirmed, 92 more are too many',
    ]);
    way.letGo('answers');
    await first;
    expect(await inbox()).toEqual([large, 'x'.repeat(90)]);
  });
});

describe('forward', () => {
  it('sends a message on byte by byte, with its properties and one more header, and no route of its own', async () => {
    const { publisher, observer } = await setup();
    const properties = { messageId: 'as it was', type: 'unknown', contentType: 'image/png', correlationId: 'c' };
    const headers = { kept: 'yes', CC: ['inbox'], BCC: ['inbox'], 'x-delivery-count': 4 };
    observer.sendToQueue('inbox', Buffer.from([0, 255, 1]), {
      ...properties,
      headers,
      CC: ['inbox'],
      expiration: 60_000,
    });
    await observer.waitForConfirms();
    const original = (await observer.get('inbox', { noAck: true })) as unknown as ConsumeMessage;
    await takeAll(observer, 'inbox');
    await publisher.forward(original, { queue: 'inbox', headers: { reason: 'because' } });
    const forwarded = await observer.get('inbox', { noAck: true });
    if (!forwarded) throw new Error('not there');
    expect([...forwarded.content]).toEqual([0, 255, 1]);
    expect(forwarded.properties).toMatchObject({ ...properties, deliveryMode: 2, expiration: undefined });
    const { 'x-delivery-count': count = 0, ...others } = forwarded.properties.headers ?? {};
    expect([count, others]).toEqual([0, { kept: 'yes', reason: 'because' }]);
    expect(await takeAll(observer, 'inbox')).toEqual([]);
  });
});
