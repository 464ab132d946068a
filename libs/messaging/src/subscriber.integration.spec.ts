import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually, freshVhost, manage, type FreshVhost } from '@offload/testing';
import amqp, { type ConfirmChannel } from 'amqplib';
import { z } from 'zod';
import { openConnection } from './connection.ts';
import { subscribe } from './subscriber.ts';
import { declareTopology, topology } from './topology.ts';

let vhost: FreshVhost;
const opened: { close(): Promise<void> }[] = [];
beforeEach(async () => void (vhost = await freshVhost()));
afterEach(async () => {
  await Promise.all(opened.splice(0).map((each) => each.close()));
  await vhost.remove();
});

/** Somebody who sends events, and listeners. */
async function setup() {
  const sender = await amqp.connect(vhost.amqpUrl);
  opened.push(sender);
  const channel = await sender.createConfirmChannel();
  await channel.assertExchange(topology.events, 'fanout', { durable: true });
  const sendRaw = async (content: string) => {
    channel.publish(topology.events, '', Buffer.from(content));
    await channel.waitForConfirms();
  };
  const listen = async (name: string) => {
    const connection = await openConnection({ url: vhost.amqpUrl, name, maxReconnectDelayMs: 50 });
    opened.push(connection);
    const heard: number[] = [];
    const faults: Error[] = [];
    let listening = 0;
    void declareTopology(connection, []);
    subscribe(connection, {
      exchange: topology.events,
      name,
      schema: z.object({ number: z.int() }),
      onMessage({ number }) {
        if (number < 0) throw new Error('below zero');
        heard.push(number);
      },
      onListening: () => void (listening += 1),
      onFault: (error) => void faults.push(error),
    });
    let latest!: ConfirmChannel;
    await connection.keepChannel(async (opened) => void (latest = opened));
    const cut = () =>
      (latest.connection as unknown as { stream: { destroy(error: Error): void } }).stream.destroy(new Error('cut'));
    const listenedTimes = (times: number) => eventually(() => expect(listening).toBe(times));
    await listenedTimes(1);
    return { heard, faults, connection, cut, listenedTimes };
  };
  return { sendRaw, send: (number: number) => sendRaw(JSON.stringify({ number })), listen };
}

describe('subscribe', () => {
  it('lets every listener hear everything, in order', async () => {
    const { send, listen } = await setup();
    const listeners = [await listen('one'), await listen('two')];
    for (const number of [1, 2, 3]) await send(number);
    for (const { heard } of listeners) await eventually(() => expect(heard).toEqual([1, 2, 3]));
  });

  it('lets a late listener hear nothing of before', async () => {
    const { send, listen } = await setup();
    const early = await listen('early');
    await send(1);
    const late = await listen('late');
    await send(2);
    await eventually(() => expect(early.heard).toEqual([1, 2]));
    await eventually(() => expect(late.heard).toEqual([2]));
  });

  it('listens again after a cut and says so: what was sent between is missed', async () => {
    const { send, listen } = await setup();
    const { heard, cut, listenedTimes } = await listen('one');
    await send(1);
    await eventually(() => expect(heard).toEqual([1]));
    cut();
    await listenedTimes(2);
    await send(2);
    await eventually(() => expect(heard).toEqual([1, 2]));
  });

  it('drops what does not fit or cannot be handled, tells of it, and goes on', async () => {
    const { send, sendRaw, listen } = await setup();
    const { heard, faults, listenedTimes } = await listen('one');
    await sendRaw('{ not json');
    await sendRaw('{"number":"one"}');
    await send(-1);
    await send(1);
    await eventually(() => expect(heard).toEqual([1]));
    expect(faults.map(({ name }) => name)).toEqual(['SyntaxError', 'ZodError', 'Error']);
    await listenedTimes(1);
  });

  it('leaves no queue behind', async () => {
    const { listen } = await setup();
    const names = async () =>
      ((await manage('GET', `/api/queues/${vhost.name}`)) as { name: string }[]).map(({ name }) => name).sort();
    const { connection } = await listen('one');
    expect(await names()).toEqual([topology.dead, expect.stringMatching(/^one\.[0-9a-f]{8}$/)]);
    await connection.close();
    await eventually(async () => expect(await names()).toEqual([topology.dead]));
  });
});
