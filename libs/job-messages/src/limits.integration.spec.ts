import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { connect, createPublisher, subscribe, text } from '@offload/messaging';
import { eventually, manage } from '@offload/spec-kit';
import { startBroker, type TestBroker } from '@offload/spec-kit/servers';
import amqp, { type ConfirmChannel, type Options } from 'amqplib';
import { exchanges } from './topology.ts';
import { passwords, QUEUES, render, topology, variables, type User } from './spec-definitions.ts';

describe('what a broker with the rendered definitions lets a user leave behind', () => {
  let broker: TestBroker;
  const opened: { close(): Promise<unknown> }[] = [];
  beforeAll(async () => {
    const { stdout } = render({ ...variables, QUEUES: QUEUES.join(',') });
    broker = await startBroker({ definitions: JSON.parse(stdout) as object });
  }, 60_000);
  afterAll(() => broker?.remove());
  afterEach(async () => {
    await Promise.allSettled(opened.splice(0).map((each) => each.close()));
    await asOperator('PUT', '/api/policies/%2F/listeners', listeners);
    await asOperator('PUT', '/api/vhost-limits/%2F/max-queues', { value: 1_000 });
    await asOperator('PUT', '/api/vhost-limits/%2F/max-connections', { value: 1_000 });
  });

  const definition = { expires: 60_000, 'max-length': 100_000, 'max-length-bytes': 2 ** 28, overflow: 'drop-head' };
  const listeners = { pattern: '^amq\\.gen-', 'apply-to': 'queues', priority: 0, definition };

  const urlOf = (user: User) =>
    Object.assign(new URL(broker.amqpUrl), { username: user, password: passwords[user] }).href;
  const asOperator = (method: 'GET' | 'PUT' | 'DELETE', path: string, body?: object) =>
    manage(method, path, body, { ...broker, amqpUrl: urlOf('operator') });

  async function channelOf(user: User): Promise<ConfirmChannel> {
    const model = await amqp.connect(urlOf(user));
    model.on('error', () => undefined);
    opened.push(model);
    const channel = await model.createConfirmChannel();
    return channel.on('error', () => undefined);
  }

  async function lengthOf(queue: string): Promise<number> {
    return (await (await channelOf('operator')).checkQueue(queue)).messageCount;
  }

  /** Asks the management API: a passive declaration over AMQP would restart the queue's expiry. */
  async function isThere(queue: string): Promise<boolean> {
    const queues = (await asOperator('GET', '/api/queues/%2F')) as { name: string }[];
    return queues.some(({ name }) => name === queue);
  }

  /** Shortens the limits, so that a test reaches them. */
  const tighten = (changes: object) =>
    asOperator('PUT', '/api/policies/%2F/listeners', { ...listeners, definition: { ...definition, ...changes } });

  it('has the policy and the limits of the definitions', async () => {
    expect(await asOperator('GET', '/api/policies/%2F/listeners')).toMatchObject(listeners);
    const limits = (await asOperator('GET', '/api/vhost-limits/%2F')) as { value: object }[];
    expect(limits.map(({ value }) => value)).toEqual([{ 'max-connections': 1_000, 'max-queues': 1_000 }]);
  });

  const kinds: [kind: string, options: Options.AssertQueue][] = [
    ['a durable queue', { durable: true }],
    ['one that dies with the broker', { durable: false }],
    ['one that would expire later', { durable: true, expires: 3_600_000, maxLength: 1_000_000 }],
  ];
  const users = ['api', 'worker', 'notifier'] as const;
  it.each(users.flatMap((user) => kinds.map(([kind, options]) => [user, kind, options] as const)))(
    'bounds what %s leaves in %s, and removes it',
    async (user, _kind, options) => {
      await tighten({ 'max-length': 3 });
      const leaving = await channelOf(user);
      const { queue } = await leaving.assertQueue('', options);
      await leaving.bindQueue(queue, exchangeFor(user), 'left');
      const operator = await channelOf('operator');
      for (let count = 0; count < 10; count += 1) operator.publish(exchangeFor(user), 'left', Buffer.from('x'));
      await operator.waitForConfirms();
      await eventually(async () => expect(await lengthOf(queue)).toBe(3));
      await tighten({ 'max-length': 3, expires: 100 });
      await eventually(async () => expect(await isThere(queue)).toBe(false));
    },
  );
  /** An exchange that this user may listen to. */
  const exchangeFor = (user: (typeof users)[number]) =>
    ({ api: exchanges.eventsByName, worker: exchanges.control, notifier: exchanges.events })[user];

  it.each(['quorum', 'stream'])(
    'lets no user leave a queue of the type %s, which is bounded otherwise',
    async (type) => {
      const unnamed = (await channelOf('notifier')).assertQueue('', {
        durable: true,
        arguments: { 'x-queue-type': type },
      });
      await expect(unnamed).rejects.toThrow(/Cannot declare a server-named queue/);
      const reserved = (await channelOf('notifier')).assertQueue('amq.gen-own', { durable: true });
      await expect(reserved).rejects.toThrow(/ACCESS_REFUSED/);
    },
  );

  it('gives a listener all messages of a burst, and keeps its queue through a long silence', async () => {
    await tighten({ expires: 100 });
    const connection = connect({ url: urlOf('notifier'), topology, maxReconnectDelayMs: 50 });
    opened.push(connection);
    const heard: string[] = [];
    let listening = 0;
    await new Promise<void>((resolve) => {
      subscribe(connection, {
        exchange: exchanges.events,
        message: text,
        handle: ({ body }) => void heard.push(body),
        onListening: () => resolve(void (listening += 1)),
      });
    });
    // An unused queue that was made later has expired by now, so the silence was long enough.
    const left = await (await channelOf('notifier')).assertQueue('', { durable: true });
    await eventually(async () => expect(await isThere(left.queue)).toBe(false));

    const sender = connect({ url: urlOf('worker'), topology });
    opened.push(sender);
    const publisher = createPublisher(sender);
    const burst = Array.from({ length: 10_000 }, (_, number) => String(number));
    const options = { exchange: exchanges.events, mandatory: false };
    await Promise.all(burst.map((number) => publisher.publish(text, number, options)));
    await eventually(() => expect(heard).toHaveLength(burst.length));
    expect([listening, new Set(heard).size]).toEqual([1, burst.length]);
  }, 30_000);

  it('refuses a queue and a connection above the limits, with the reason', async () => {
    const [first, second] = [await channelOf('notifier'), await channelOf('notifier')];
    const { length } = (await asOperator('GET', '/api/queues/%2F')) as unknown[];
    await asOperator('PUT', '/api/vhost-limits/%2F/max-queues', { value: length + 1 });
    await first.assertQueue('', { exclusive: true });
    await expect(second.assertQueue('', { exclusive: true })).rejects.toThrow(/queue limit .* is reached/);

    await asOperator('PUT', '/api/vhost-limits/%2F/max-connections', { value: 1 }); // two are open
    const late = connect({ url: urlOf('notifier'), topology });
    opened.push(late);
    await expect(late.opened).rejects.toThrow(/vhost "\/" does not exist, is forbidden, or is full/);
  });
});
