import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import {
  BrokerRefusedError,
  connect,
  type Connection,
  type ConnectOptions,
  consume,
  createPublisher,
  subscribe,
  type SubscriberOptions,
  type Verdict,
} from '@offload/messaging';
import { eventually, manage, take } from '@offload/testing';
import { startBroker, type TestBroker } from '@offload/testing/servers';
import amqp, { type ConfirmChannel } from 'amqplib';
import { z } from 'zod';
import { exchanges, jobTopology, ringQueue } from './topology.ts';
import { passwords, QUEUES, render, topology, variables, type User } from './spec-definitions.ts';

describe('a broker with the rendered definitions', () => {
  let broker: TestBroker;
  const opened: { close(): Promise<unknown> }[] = [];
  beforeAll(async () => {
    const { stdout } = render({ ...variables, QUEUES: QUEUES.join(', ') });
    broker = await startBroker({ definitions: JSON.parse(stdout) as object });
  }, 60_000);
  afterAll(() => broker?.remove());
  afterEach(async () => void (await Promise.allSettled(opened.splice(0).map((each) => each.close()))));

  const urlOf = (username: string, password: string) =>
    Object.assign(new URL(broker.amqpUrl), { username, password }).href;
  const asOperator = async (path: string) => {
    const amqpUrl = urlOf('operator', passwords.operator);
    return (await manage('GET', path, undefined, { ...broker, amqpUrl })) as Record<string, unknown>[];
  };

  /** The library's connection, as the processes open it. */
  function connectAs(user: User, options: Partial<ConnectOptions> = {}) {
    const connection = connect({ url: urlOf(user, passwords[user]), topology, maxReconnectDelayMs: 50, ...options });
    connection.opened.catch(() => undefined);
    const reasons: (string | undefined)[] = [];
    const faults: string[] = [];
    connection.events
      .on('state', (_state, reason) => void reasons.push(reason))
      .on('fault', ({ message }) => void faults.push(message));
    opened.push(connection);
    return { connection, reasons, faults };
  }

  async function channelsOf(user: User): Promise<() => Promise<ConfirmChannel>> {
    const model = await amqp.connect(urlOf(user, passwords[user]));
    opened.push(model);
    return () => model.createConfirmChannel();
  }

  it('has its users only: no guest', async () => {
    const users = (await asOperator('/api/users')).map(({ name, tags }) => [name, [tags].flat().join()]);
    expect(users.sort()).toEqual([
      ['api', ''],
      ['doctor', ''],
      ['notifier', ''],
      ['operator', 'administrator'],
      ['worker', ''],
    ]);
  });

  it('has what jobTopology declares, to the last binding', async () => {
    const list = async () => {
      const kinds = ['exchanges', 'queues', 'bindings'].map((kind) => asOperator(`/api/${kind}/%2F`));
      const [madeExchanges, queues, bindings] = (await Promise.all(kinds)) as [Entries, Entries, Entries];
      return {
        exchanges: madeExchanges.map(({ name, type, durable }) => [name, type, durable]).sort(),
        queues: queues.map(({ name, durable, arguments: given }) => [name, durable, given]).sort(),
        bindings: bindings.map(({ source, destination, routing_key: key }) => [source, destination, key]).sort(),
      };
    };
    type Entries = Record<string, unknown>[];
    const before = await list();
    expect(before.queues.map(([name]) => name)).toEqual(['jobs.dead', 'jobs.default', 'jobs.mail.eu']);
    await connectAs('operator').connection.opened;
    expect(await list()).toEqual(before);
  });

  it.each(['api', 'worker', 'notifier', 'operator'] as const)('lets %s in, who need not declare it', async (user) => {
    const { connection, reasons } = connectAs(user);
    await connection.opened;
    expect(reasons).toEqual([undefined]);
  });

  it('lets the doctor declare and look after all that is there, and nothing else', async () => {
    await connectAs('doctor').connection.opened;
    const newChannel = await channelsOf('doctor');
    const outcomes: Record<string, string> = {};
    for (const what of ['declare one more for rings', 'get dead letters', 'ring past it', 'purge rings', 'get rings'])
      outcomes[what] = await outcomeOf(attempts[what] as Attempt, await newChannel());
    for (const what of ['declare a queue', 'declare an exchange'])
      outcomes[what] = await outcomeOf(attempts[what] as Attempt, await newChannel());
    await outcomeOf((channel) => channel.deleteQueue(ringQueue('mine')), await newChannel());
    const refused = { 'declare a queue': 'ACCESS_REFUSED', 'declare an exchange': 'ACCESS_REFUSED' };
    expect(outcomes).toEqual({
      ...Object.fromEntries(Object.keys(outcomes).map((what) => [what, 'done'])),
      ...refused,
    });
  });

  it.each(['guest', 'offload', 'api'])('does not let %s in with its name for a password', async (user) => {
    const { connection } = connectAs('api', { url: urlOf(user, user) });
    await expect(connection.opened).rejects.toThrow(BrokerRefusedError);
  });

  type Attempt = (channel: ConfirmChannel) => unknown;

  const listen =
    (exchange: string, routingKey = ''): Attempt =>
    async (channel) => {
      const { queue } = await channel.assertQueue('', { exclusive: true, autoDelete: true });
      await channel.bindQueue(queue, exchange, routingKey);
      await channel.consume(queue, () => undefined, { noAck: true });
    };

  /** Has what is sent to one exchange flow into another, for a moment. */
  const feed =
    (destination: string, source: string, routingKey = ''): Attempt =>
    async (channel) => {
      await channel.bindExchange(destination, source, routingKey);
      await channel.unbindExchange(destination, source, routingKey);
    };

  /** Everything that somebody might try, on a channel of its own. */
  const attempts: Record<string, Attempt> = {
    'ring through its exchange': (channel) => channel.publish(exchanges.jobs, 'default', Buffer.from('ring')),
    'ring past it': (channel) => channel.sendToQueue(ringQueue('default'), Buffer.from('ring')),
    'publish an event': (channel) => channel.publish(exchanges.events, '', Buffer.from('event')),
    'command the workers': (channel) => channel.publish(exchanges.control, '', Buffer.from('cancel')),
    'publish a dead letter': (channel) => channel.publish(exchanges.dead, '', Buffer.from('letter')),
    'bury one past its exchange': (channel) => channel.sendToQueue(exchanges.dead, Buffer.from('letter')),
    'get rings': (channel) => channel.get(ringQueue('default')),
    'consume rings': (channel) => channel.consume(ringQueue('mail.eu'), () => undefined),
    'purge rings': (channel) => channel.purgeQueue(ringQueue('default')),
    'get dead letters': (channel) => channel.get(exchanges.dead),
    'consume dead letters': (channel) => channel.consume(exchanges.dead, () => undefined),
    'purge dead letters': (channel) => channel.purgeQueue(exchanges.dead),
    'listen to events': listen(exchanges.events),
    'listen to events by name': listen(exchanges.eventsByName, 'job.succeeded'),
    'publish an event past the listeners': (channel) => {
      channel.publish(exchanges.eventsByName, 'job.succeeded', Buffer.from('event'));
    },
    'listen to commands': listen(exchanges.control),
    'listen to rings': async (channel) => {
      const { queue } = await channel.assertQueue('', { exclusive: true, autoDelete: true });
      await channel.bindQueue(queue, exchanges.jobs, 'default');
    },
    'listen to dead letters': async (channel) => {
      const { queue } = await channel.assertQueue('', { exclusive: true, autoDelete: true });
      await channel.bindQueue(queue, exchanges.dead, '');
    },
    'have a queue that feeds the rings': (channel) => {
      return channel.assertQueue('', { exclusive: true, deadLetterExchange: exchanges.jobs });
    },
    'have events flow into the rings': (channel) => channel.bindQueue(ringQueue('default'), exchanges.events, ''),
    'have events flow into the dead letters': (channel) => channel.bindQueue(exchanges.dead, exchanges.events, ''),
    'have dead letters ring': (channel) => channel.bindExchange(exchanges.jobs, exchanges.dead, ''),
    'have commands ring': (channel) => channel.bindExchange(exchanges.jobs, exchanges.control, ''),
    'have events ring': feed(exchanges.jobs, exchanges.events),
    'have ends of jobs ring': feed(exchanges.jobs, exchanges.eventsByName, 'job.succeeded'),
    'have ends of jobs command the workers': feed(exchanges.control, exchanges.eventsByName, 'job.succeeded'),
    'have events command the workers': feed(exchanges.control, exchanges.events),
    'have commands told as events': feed(exchanges.events, exchanges.control),
    'have events for dead letters': (channel) => channel.bindExchange(exchanges.dead, exchanges.events, ''),
    'cut the rings off': (channel) => channel.unbindQueue(ringQueue('default'), exchanges.jobs, 'default'),
    'declare a queue': (channel) => channel.assertQueue('mine'),
    'declare one more for rings': (channel) => channel.assertQueue(ringQueue('mine')),
    'declare an exchange': (channel) => channel.assertExchange('mine', 'fanout'),
    'delete the rings': (channel) => channel.deleteQueue(ringQueue('default')),
    'delete the dead letters': (channel) => channel.deleteQueue(exchanges.dead),
    'delete the exchange of rings': (channel) => channel.deleteExchange(exchanges.jobs),
    'delete the exchange of dead letters': (channel) => channel.deleteExchange(exchanges.dead),
    'delete the exchange of commands': (channel) => channel.deleteExchange(exchanges.control),
    'delete the exchange of events': (channel) => channel.deleteExchange(exchanges.events),
    'delete the exchange of events by name': (channel) => channel.deleteExchange(exchanges.eventsByName),
    'cut the events by name off': (channel) => channel.unbindExchange(exchanges.eventsByName, exchanges.events, ''),
  };

  /** @returns what the broker refuses with, or `done` */
  async function outcomeOf(attempt: Attempt, channel: ConfirmChannel): Promise<string> {
    let refusal: Error | undefined;
    channel.on('error', (error: Error) => (refusal = error));
    try {
      await attempt(channel);
      await channel.waitForConfirms();
      await channel.close();
      return 'done';
    } catch (error) {
      return /[A-Z]+_[A-Z]+/.exec((refusal ?? (error as Error)).message)?.[0] ?? String(error);
    }
  }

  it.each([
    [
      'api',
      [
        ...(['ring through its exchange', 'publish an event', 'command the workers'] as const),
        ...(['listen to events by name', 'have a queue that feeds the rings'] as const),
        // Binding is reading here and writing there, which it may: it could carry the messages over by hand.
        ...(['have ends of jobs ring', 'have ends of jobs command the workers'] as const),
      ],
    ],
    // Purging is reading, for RabbitMQ: who may consume a queue may empty it.
    [
      'worker',
      [
        ...(['publish an event', 'publish a dead letter', 'get rings', 'consume rings', 'purge rings'] as const),
        ...(['listen to commands', 'have commands told as events'] as const),
      ],
    ],
    ['notifier', ['listen to events']],
  ] as const)('lets %s do what is its to do, and refuses the rest', async (user, may) => {
    const newChannel = await channelsOf(user);
    const outcomes: Record<string, string> = {};
    for (const [what, attempt] of Object.entries(attempts))
      outcomes[what] = await outcomeOf(attempt, await newChannel());
    const expected = Object.keys(attempts).map((what) => [
      what,
      may.includes(what as never) ? 'done' : 'ACCESS_REFUSED',
    ]);
    expect(outcomes).toEqual(Object.fromEntries(expected));
  });

  it.each(['notifier', 'api', 'worker'] as const)("keeps %s from another's queue", async (user) => {
    const [one, other] = [await (await channelsOf('notifier'))(), await channelsOf(user)];
    const { queue } = await one.assertQueue('', { exclusive: true });
    const consumed = await outcomeOf((channel) => channel.consume(queue, () => undefined), await other());
    const deleted = await outcomeOf((channel) => channel.deleteQueue(queue), await other());
    expect([consumed, deleted]).toEqual(['RESOURCE_LOCKED', 'RESOURCE_LOCKED']);
  });

  const ring = { type: 'ring', version: 1, schema: z.object({ jobId: z.string() }) };
  const event = { type: 'event', version: 1, schema: z.object({ status: z.string() }) };

  /** The processes as they are: an api, a worker with the two connections that publish and consume, a notifier. */
  async function processes(handle: (jobId: string) => Verdict) {
    const publishing = connectAs('worker').connection;
    const api = connectAs('api').connection;
    const bell = createPublisher(api);
    const publisher = createPublisher(publishing);
    const { connection: consuming, faults } = connectAs('worker');
    consume(consuming, {
      queue: ringQueue('mail.eu'),
      message: ring,
      async handle({ body: { jobId } }) {
        const about = { correlationId: jobId, mandatory: false };
        await publisher.publish(event, { status: jobId }, { exchange: exchanges.events, routingKey: 'end', ...about });
        return handle(jobId);
      },
      deadLetters: { publisher, exchange: exchanges.dead },
    });
    const notifier = connectAs('notifier', { topology: jobTopology([]) }).connection;
    const listen = async (
      connection: Connection,
      what: Pick<SubscriberOptions<typeof event>, 'exchange' | 'routingKeys'>,
      wants: (jobId?: string) => boolean,
    ) => {
      const heard: string[] = [];
      await new Promise<void>((onListening) => {
        subscribe(connection, {
          ...what,
          message: event,
          wants: ({ correlationId }) => wants(correlationId),
          handle: ({ body: { status } }) => void heard.push(status),
          onListening,
        });
      });
      return heard;
    };
    return {
      heard: await listen(notifier, { exchange: exchanges.events }, () => true),
      heardByApi: await listen(
        api,
        { exchange: exchanges.eventsByName, routingKeys: ['end'] },
        (jobId) => jobId === 'awaited',
      ),
      faults,
      ring: (jobId: string) => bell.publish(ring, { jobId }, { exchange: exchanges.jobs, routingKey: 'mail.eu' }),
    };
  }

  it('carries a ring from the api to a worker, and its event to a notifier and to an api that waits for it', async () => {
    const { heard, heardByApi, faults, ring } = await processes(() => 'ack');
    await ring('first');
    await eventually(() => expect(heard).toEqual(['first']));
    await ring('awaited');
    await eventually(() => expect(heard).toEqual(['first', 'awaited']));
    await eventually(() => expect(heardByApi).toEqual(['awaited']));
    expect(faults).toEqual([]);
  });

  it('carries what a worker rejects to the dead letters, with the reason', async () => {
    const letters = await (await channelsOf('operator'))();
    await letters.purgeQueue(exchanges.dead);
    const { faults, ring } = await processes((jobId) => ({ reject: `not ${jobId}` }));
    await ring('second');
    const { content, properties } = await take(letters, exchanges.dead);
    expect(JSON.parse(content.toString())).toEqual({ jobId: 'second' });
    expect(properties.headers).toMatchObject({ 'x-offload-reason': 'not second', 'x-offload-queue': 'mail.eu' });
    expect(faults).toEqual(['rejected: not second']);
  });

  it('sends no ring for a worker, which goes on with what it may send', async () => {
    const publisher = createPublisher(connectAs('worker').connection);
    const sent = publisher.publish(ring, { jobId: 'third' }, { exchange: exchanges.jobs, routingKey: 'default' });
    await expect(sent).rejects.toThrow(/ACCESS_REFUSED.*exchange 'jobs'/);
    await publisher.publish(event, { status: 'there' }, { exchange: exchanges.events, mandatory: false });
  });

  it('tells an api why it does not consume', async () => {
    const { connection } = connectAs('api');
    const states: (string | undefined)[] = [];
    connection.events.on('state', (_state, reason) => void states.push(reason));
    consume(connection, { queue: ringQueue('default'), message: ring, handle: () => 'ack' });
    await eventually(() => expect(states).toEqual([expect.stringMatching(/ACCESS_REFUSED.*queue 'jobs\.default'/)]));
    expect(connection.state).toBe('connecting'); // as long as it can't do all that it is to do
  });
});
