import { describe, expect, it } from '@jest/globals';
import { eventually, manage } from '@offload/spec-kit';
import type { Options } from 'amqplib';
import { z } from 'zod';
import { text } from './message.ts';
import { channelOf, useVhost } from './spec-vhost.ts';
import { subscribe, type SubscriberOptions } from './subscriber.ts';

const vhost = useVhost();
const number = { type: 'number', version: 1, schema: z.object({ number: z.int() }) };
const topology = { exchanges: { news: { type: 'fanout' } } } as const;

/** Somebody who sends, and listeners. */
async function setup() {
  await vhost.connect({ topology }).connection.opened;
  const observer = await vhost.observer();
  const sendRaw = async (content: string, properties: Options.Publish = {}) => {
    observer.publish('news', '', Buffer.from(content), properties);
    await observer.waitForConfirms();
  };
  const listen = async ({ wants }: Pick<SubscriberOptions<typeof number>, 'wants'> = {}) => {
    const { connection, faults, losses, steps } = vhost.connect({ topology });
    const heard: number[] = [];
    let listening = 0;
    subscribe(connection, {
      exchange: 'news',
      message: number,
      ...(wants && { wants }),
      handle({ body }) {
        if (body.number < 0) throw new Error('below zero');
        heard.push(body.number);
      },
      onListening: () => void (listening += 1),
    });
    const { cut } = await channelOf(connection);
    const listenedTimes = (times: number) => eventually(() => expect(listening).toBe(times));
    await listenedTimes(1);
    return { heard, faults, losses, steps, connection, cut, listenedTimes };
  };
  return { sendRaw, send: (number: number) => sendRaw(JSON.stringify({ number })), listen };
}

const queues = async () =>
  (
    (await manage('GET', `/api/queues/${vhost.name}`)) as { name: string; exclusive: boolean; auto_delete: boolean }[]
  ).map(({ name, exclusive, auto_delete }) => [name, exclusive, auto_delete]);

describe('subscribe', () => {
  it('lets every listener hear everything, in order', async () => {
    const { send, listen } = await setup();
    const listeners = [await listen(), await listen()];
    for (const number of [1, 2, 3]) await send(number);
    for (const { heard } of listeners) await eventually(() => expect(heard).toEqual([1, 2, 3]));
  });

  it('lets a late listener hear nothing of before', async () => {
    const { send, listen } = await setup();
    const early = await listen();
    await send(1);
    const late = await listen();
    await send(2);
    await eventually(() => expect(early.heard).toEqual([1, 2]));
    await eventually(() => expect(late.heard).toEqual([2]));
  });

  it('listens again after a cut and says so: what was sent between is missed', async () => {
    const { send, listen } = await setup();
    const { heard, cut, listenedTimes } = await listen();
    await send(1);
    await eventually(() => expect(heard).toEqual([1]));
    cut();
    await listenedTimes(2);
    await send(2);
    await eventually(() => expect(heard).toEqual([1, 2]));
  });

  it('drops what does not fit or cannot be handled, tells of it, and goes on', async () => {
    const { send, sendRaw, listen } = await setup();
    const { heard, faults, steps, listenedTimes } = await listen();
    await sendRaw('{ not json');
    await sendRaw('{"number":"one"}');
    await send(-1);
    await send(1);
    await eventually(() => expect(heard).toEqual([1]));
    expect(faults).toEqual([
      expect.stringMatching(/^dropped: not JSON/),
      expect.stringMatching(/^dropped: \/number/),
      'below zero',
    ]);
    expect(steps.filter((step) => step === 'consumed news')).toHaveLength(4);
    await listenedTimes(1);
  });

  it('does not read what is not wanted, and so finds no fault in it', async () => {
    const { send, sendRaw, listen } = await setup();
    const asked: unknown[] = [];
    const { heard, faults, steps } = await listen({
      wants(properties) {
        asked.push(properties);
        return properties.correlationId === undefined || properties.correlationId === 'mine';
      },
    });
    await sendRaw('{ not json', { correlationId: 'theirs', messageId: 'first' });
    await sendRaw('{"number":1}', { correlationId: 'theirs', type: 'something else' });
    await sendRaw('{"number":2}', { correlationId: 'mine' });
    await send(3);
    await eventually(() => expect(heard).toEqual([2, 3]));
    expect(asked).toEqual([
      { correlationId: 'theirs', messageId: 'first', routingKey: '' },
      { correlationId: 'theirs', messageId: undefined, routingKey: '' },
      { correlationId: 'mine', messageId: undefined, routingKey: '' },
      { correlationId: undefined, messageId: undefined, routingKey: '' },
    ]);
    expect(faults).toEqual([]);
    // In any order: what comes in one packet is taken before the first of it is done.
    const once = Array(4).fill(['acked news', 'consumed news']);
    await eventually(() => expect([...steps].sort()).toEqual(once.flat().sort()));
  });

  it('drops what it could not even be asked about, tells of it, and goes on', async () => {
    const { send, sendRaw, listen } = await setup();
    const { heard, faults } = await listen({
      wants({ correlationId }) {
        if (correlationId === 'odd') throw new Error('no idea');
        return true;
      },
    });
    await sendRaw('{"number":1}', { correlationId: 'odd' });
    await send(2);
    await eventually(() => expect(heard).toEqual([2]));
    expect(faults).toEqual(['no idea']);
  });

  it('tells of what an asynchronous handler rejects with', async () => {
    const { sendRaw } = await setup();
    const { connection, faults } = vhost.connect({ topology });
    const handle = () => Promise.reject(new Error('later'));
    await new Promise<void>((onListening) => {
      subscribe(connection, { exchange: 'news', message: text, handle, onListening });
    });
    await sendRaw('x');
    await eventually(() => expect(faults).toEqual(['later']));
  });

  it('hears the text of any other client', async () => {
    const { sendRaw } = await setup();
    const { connection } = vhost.connect({ topology });
    const heard: string[] = [];
    await new Promise<void>((onListening) => {
      subscribe(connection, {
        exchange: 'news',
        message: text,
        handle: ({ body }) => void heard.push(body),
        onListening,
      });
    });
    await sendRaw('grüß dich');
    await eventually(() => expect(heard).toEqual(['grüß dich']));
  });

  it('has a queue of its own that the broker names, and leaves none behind', async () => {
    const { listen } = await setup();
    const { connection } = await listen();
    expect(await queues()).toEqual([[expect.stringMatching(/^amq\.gen-/), true, true]]);
    await connection.close();
    await eventually(async () => expect(await queues()).toEqual([]));
  });

  it('gets a new queue when its own is deleted', async () => {
    const { send, listen } = await setup();
    const { heard, connection, losses, listenedTimes } = await listen();
    const [[name]] = (await queues()) as [[string]];
    await (await channelOf(connection)).latest.deleteQueue(name); // only its own connection may
    await listenedTimes(2);
    expect(losses).toEqual([expect.stringContaining(`cancelled the subscription to ${name}`)]);
    await send(1);
    await eventually(() => expect(heard).toEqual([1]));
  });
});
