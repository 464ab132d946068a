import type { EventEmitter } from 'node:events';
import { connect as connectTo, createServer, type AddressInfo, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually, freshVhost, type FreshVhost } from '@offload/testing';
import amqp, { type ConfirmChannel } from 'amqplib';
import { openConnection } from './connection.ts';
import { BrokerUnavailableError, PublishRefusedError } from './errors.ts';
import { createPublisher, type PublisherOptions } from './publisher.ts';

let vhost: FreshVhost;
const opened: { close(): Promise<unknown> }[] = [];
beforeEach(async () => void (vhost = await freshVhost()));
afterEach(async () => {
  await Promise.all(opened.splice(0).map((each) => each.close()));
  await vhost.remove();
});

/** A way to the broker: what the broker answers can be held back, and the connection cut. */
async function proxy() {
  const target = new URL(vhost.amqpUrl);
  const sockets = new Map<Socket, Socket>();
  const server = createServer((near) => {
    const far = connectTo(Number(target.port), target.hostname);
    sockets.set(near, far);
    near.on('error', () => undefined).on('close', () => far.destroy());
    far.on('error', () => undefined).on('close', () => near.destroy());
    near.pipe(far).pipe(near);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const cut = () => sockets.forEach((far, near) => near.destroy());
  opened.push({
    close: () => {
      cut();
      return new Promise((resolve) => server.close(resolve));
    },
  });
  return {
    url: Object.assign(new URL(vhost.amqpUrl), { host: `127.0.0.1:${port}` }).href,
    cut,
    holdAnswers: () => sockets.forEach((far, near) => far.unpipe(near)),
    letAnswers: () => sockets.forEach((far, near) => far.pipe(near)),
  };
}

/** A publisher behind a proxy, a queue `inbox` bound to the exchange `to` by its name, and somebody who looks. */
async function setup(options?: PublisherOptions) {
  const observing = await amqp.connect(vhost.amqpUrl);
  opened.push(observing);
  const observer = await observing.createChannel();
  await observer.assertExchange('to', 'direct');
  await observer.assertQueue('inbox', { durable: true, arguments: { 'x-queue-type': 'quorum' } });
  await observer.bindQueue('inbox', 'to', 'inbox');

  const { url, ...wire } = await proxy();
  const connection = await openConnection({ url, name: 'spec', maxReconnectDelayMs: 50 });
  opened.push(connection);
  const publisher = createPublisher(connection, options);
  let channel!: ConfirmChannel;
  await connection.keepChannel(async (opened) => void (channel = opened)); // and the publisher's is open before
  const publish = (body: unknown, routingKey = 'inbox', mandatory = true) =>
    publisher.publish({ exchange: 'to', routingKey, body, type: 'note', mandatory });
  const inbox = async (): Promise<unknown[]> => {
    const bodies: unknown[] = [];
    for (let message; (message = await observer.get('inbox', { noAck: true }));)
      bodies.push(JSON.parse(message.content.toString()));
    return bodies;
  };
  const broker = () => channel.connection as unknown as EventEmitter; // the latest
  return { publisher, publish, connection, observer, inbox, wire, broker };
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
    const messageId = '019ac000-0000-7000-8000-000000000000';
    const headers = { 'x-reason': 'none' };
    const body = { text: 'ö\u0000' };
    const before = Math.floor(Date.now() / 1_000);
    await publisher.publish({
      exchange: 'to',
      routingKey: 'inbox',
      body,
      type: 'note',
      messageId,
      priority: 3,
      headers,
    });
    const message = await observer.get('inbox', { noAck: true });
    if (!message) throw new Error('not there');
    const { properties, content } = message;
    expect(JSON.parse(content.toString())).toEqual(body);
    expect(properties).toMatchObject({ messageId, type: 'note', priority: 3, contentType: 'application/json' });
    expect(properties).toMatchObject({ deliveryMode: 2, headers });
    expect(properties.timestamp).toBeGreaterThanOrEqual(before);
    expect(properties.timestamp).toBeLessThanOrEqual(Date.now() / 1_000);
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
    const { publish, inbox } = await setup();
    const ended = await outcomes([publish(1), publish(2, 'nowhere'), publish(3), publish(4, 'nowhere', false)]);
    const returned = 'PublishRefusedError: returned by to: NO_ROUTE';
    expect(ended).toEqual([undefined, returned, undefined, undefined]);
    await expect(publish(5, 'nowhere')).rejects.toThrow(PublishRefusedError);
    expect(await inbox()).toEqual([1, 3]);
  });

  it('tells messages of one id apart', async () => {
    const { publisher, inbox } = await setup();
    const send = (routingKey: string) =>
      publisher.publish({ exchange: 'to', routingKey, body: routingKey, type: 'note', messageId: 'twin' });
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
    await expect(publish(1, 'x'.repeat(256))).rejects.not.toThrow(BrokerUnavailableError);
    await publish('fine');
    expect(await inbox()).toEqual(['fine']);
  });
});

describe('publish without a broker', () => {
  it('fails at once while there is no connection, before the first and after the last', async () => {
    const connection = await openConnection({ url: vhost.amqpUrl, name: 'spec' });
    opened.push(connection);
    const publisher = createPublisher(connection);
    const send = () => publisher.publish({ exchange: '', routingKey: 'inbox', body: 1, type: 'note' });
    await expect(send()).rejects.toThrow(new BrokerUnavailableError('not connected to the broker'));
    await eventually(() => expect(connection.state).toBe('open'));
    await connection.close();
    await expect(send()).rejects.toThrow(new BrokerUnavailableError('not connected to the broker'));
  });

  it('fails while the broker blocks the connection, and works afterwards', async () => {
    const { publish, broker, inbox } = await setup();
    broker().emit('blocked', 'low on memory'); // as on connection.blocked; the alarm would hit every vhost
    await expect(publish('blocked')).rejects.toThrow(BrokerUnavailableError);
    broker().emit('unblocked');
    await publish('free');
    expect(await inbox()).toEqual(['free']);
  });

  it('fails what is in flight when the channel is lost, and works again by itself', async () => {
    const { publish, wire, inbox, connection } = await setup();
    wire.holdAnswers();
    const inFlight = [publish('a'), publish('b', 'nowhere')];
    wire.cut();
    const lost = 'BrokerUnavailableError: the channel was lost before the confirm came';
    expect(await outcomes(inFlight)).toEqual([lost, lost]);
    await eventually(() => expect(connection.state).toBe('open'));
    await publish('again');
    expect((await inbox()).at(-1)).toBe('again');
  });

  it('fails what is in flight when an exchange is missing, and works again by itself', async () => {
    const { publisher, publish, inbox } = await setup();
    const toNowhere = publisher.publish({ exchange: 'missing', body: 1, type: 'note' });
    await expect(toNowhere).rejects.toThrow(BrokerUnavailableError);
    await eventually(() => publish('again'));
    expect(await inbox()).toEqual(['again']);
  });

  it('gives up on a confirm that does not come in time, yet counts it until it comes: memory stays bounded', async () => {
    const { publish, wire, inbox } = await setup({ confirmTimeoutMs: 50, maxUnconfirmed: 2 });
    wire.holdAnswers();
    const late = 'BrokerUnavailableError: not confirmed within 50 ms';
    const full = 'BrokerUnavailableError: 2 messages are waiting for their confirm';
    expect(await outcomes([publish(1), publish(2), publish(3)])).toEqual([late, late, full]);
    expect(await outcomes([publish(4)])).toEqual([full]);
    wire.letAnswers();
    await eventually(() => publish(5));
    const received = await inbox();
    expect(received.slice(0, 2)).toEqual([1, 2]);
    expect(received.at(-1)).toBe(5);
  });
});
