import { takeAll } from '@offload/spec-kit';
import { describe, expect, it } from '@jest/globals';
import type { ConsumeMessage } from 'amqplib';
import { BrokerUnavailableError, PublishRefusedError } from './errors.ts';
import { text } from './message.ts';
import { createPublisher } from './publisher.ts';
import { note, outcomes, publishersOn, topology } from './spec-publisher.ts';
import { useVhost } from './spec-vhost.ts';

const vhost = useVhost();
const setup = publishersOn(vhost);

describe('publish', () => {
  it('resolves once the broker has the message, persistent and with its properties', async () => {
    const { publisher, observer } = await setup();
    const before = Math.floor(Date.now() / 1_000);
    const body = { text: 'ö\u0000' };
    await publisher.publish(note, body, {
      exchange: 'to',
      routingKey: 'inbox',
      messageId: '019ac000-0000-7000-8000-000000000000',
      correlationId: 'order 7',
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
      correlationId: 'order 7',
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

  it.each([
    ['a queue whose name is no Unicode', { queue: 'no-\ud800' }],
    ['a message id that is none', { queue: 'nowhere', messageId: '\udc00' }],
    ['no exchange at all', { exchange: undefined as unknown as string, routingKey: 'nowhere' }],
  ])('is refused all the same with %s', async (_what, to) => {
    const { publisher } = await setup();
    await expect(publisher.publish(text, 'lost', to)).rejects.toThrow(/^returned: NO_ROUTE/);
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
    await expect(publish(1, { correlationId: 'x'.repeat(256) })).rejects.toMatchObject({ name: 'TypeError' });
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

describe('options of a publisher', () => {
  it('that are not there are the defaults', async () => {
    const nothing = { timeoutMs: undefined, maxPending: undefined, maxPendingBytes: undefined, whileAway: undefined };
    const { publish, inbox } = await setup(nothing as object);
    await publish(1);
    expect(await inbox()).toEqual([1]);
  });

  it.each([
    [{ timeoutMs: Infinity }, /^timeoutMs: /],
    [{ timeoutMs: 3e9 }, /^timeoutMs: /],
    [{ timeoutMs: 0 }, /^timeoutMs: /],
    [{ maxPending: NaN, maxPendingBytes: -1 }, /^maxPending: .*; maxPendingBytes: /],
    [{ whileAway: 'nonsense' as 'fail' }, /^whileAway: /],
  ])('are refused where they make no sense: %j', (options, message) => {
    const { connection } = vhost.connect({ topology });
    expect(() => createPublisher(connection, options)).toThrow(message);
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

  it('gives the copy another id and leaves out the headers that it is told to', async () => {
    const { publisher, observer } = await setup();
    const headers = { kept: 'yes', 'x-death': [{ queue: 'inbox', count: 1 }], 'x-offload-reason': 'not JSON' };
    observer.sendToQueue('inbox', Buffer.from('a'), { messageId: 'first', headers });
    await observer.waitForConfirms();
    const original = (await observer.get('inbox', { noAck: true })) as unknown as ConsumeMessage;
    const withoutHeaders = ['x-death', 'x-offload-reason', 'never there'];
    await publisher.forward(original, { queue: 'inbox', messageId: 'second', withoutHeaders });
    const forwarded = await observer.get('inbox', { noAck: true });
    expect(forwarded && forwarded.properties).toMatchObject({ messageId: 'second', headers: { kept: 'yes' } });
    expect(Object.keys((forwarded && forwarded.properties.headers) ?? {})).not.toContain('x-death');
    expect(Object.keys((forwarded && forwarded.properties.headers) ?? {})).not.toContain('x-offload-reason');
  });
});
