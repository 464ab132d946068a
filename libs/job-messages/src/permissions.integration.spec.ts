import { describe, expect, it } from '@jest/globals';
import type { ConfirmChannel } from 'amqplib';
import { exchanges, dispatchQueue } from './topology.ts';
import { channelsOf, connectAs } from './spec-rendered-broker.ts';

describe('a broker with the rendered definitions', () => {
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
    'dispatch message through its exchange': (channel) =>
      channel.publish(exchanges.jobs, 'default', Buffer.from('dispatch')),
    'dispatch past it': (channel) => channel.sendToQueue(dispatchQueue('default'), Buffer.from('dispatch')),
    'publish an event': (channel) => channel.publish(exchanges.events, '', Buffer.from('event')),
    'command the workers': (channel) => channel.publish(exchanges.control, '', Buffer.from('cancel')),
    'publish a dead letter': (channel) => channel.publish(exchanges.dead, '', Buffer.from('letter')),
    'bury one past its exchange': (channel) => channel.sendToQueue(exchanges.dead, Buffer.from('letter')),
    'get dispatch messages': (channel) => channel.get(dispatchQueue('default')),
    'consume dispatch messages': (channel) => channel.consume(dispatchQueue('mail.eu'), () => undefined),
    'purge dispatch messages': (channel) => channel.purgeQueue(dispatchQueue('default')),
    'get dead letters': (channel) => channel.get(exchanges.dead),
    'consume dead letters': (channel) => channel.consume(exchanges.dead, () => undefined),
    'purge dead letters': (channel) => channel.purgeQueue(exchanges.dead),
    'listen to events': listen(exchanges.events),
    'listen to events by name': listen(exchanges.eventsByName, 'job.succeeded'),
    'publish an event past the listeners': (channel) => {
      channel.publish(exchanges.eventsByName, 'job.succeeded', Buffer.from('event'));
    },
    'listen to commands': listen(exchanges.control),
    'tell of a registration': (channel) => channel.publish(exchanges.registrations, '', Buffer.from('types')),
    'listen to registrations': listen(exchanges.registrations),
    'listen to dispatch messages': async (channel) => {
      const { queue } = await channel.assertQueue('', { exclusive: true, autoDelete: true });
      await channel.bindQueue(queue, exchanges.jobs, 'default');
    },
    'listen to dead letters': async (channel) => {
      const { queue } = await channel.assertQueue('', { exclusive: true, autoDelete: true });
      await channel.bindQueue(queue, exchanges.dead, '');
    },
    'have a queue that feeds the dispatch messages': (channel) => {
      return channel.assertQueue('', { exclusive: true, deadLetterExchange: exchanges.jobs });
    },
    'have events flow into the dispatch messages': (channel) =>
      channel.bindQueue(dispatchQueue('default'), exchanges.events, ''),
    'have events flow into the dead letters': (channel) => channel.bindQueue(exchanges.dead, exchanges.events, ''),
    'have dead letters dispatch message': (channel) => channel.bindExchange(exchanges.jobs, exchanges.dead, ''),
    'have commands dispatch message': (channel) => channel.bindExchange(exchanges.jobs, exchanges.control, ''),
    'have events dispatch message': feed(exchanges.jobs, exchanges.events),
    'have ends of jobs dispatch message': feed(exchanges.jobs, exchanges.eventsByName, 'job.succeeded'),
    'have ends of jobs command the workers': feed(exchanges.control, exchanges.eventsByName, 'job.succeeded'),
    'have events command the workers': feed(exchanges.control, exchanges.events),
    'have commands told as events': feed(exchanges.events, exchanges.control),
    'have events for dead letters': (channel) => channel.bindExchange(exchanges.dead, exchanges.events, ''),
    'cut the dispatch messages off': (channel) =>
      channel.unbindQueue(dispatchQueue('default'), exchanges.jobs, 'default'),
    'declare a queue': (channel) => channel.assertQueue('mine'),
    'declare one more for dispatch messages': (channel) => channel.assertQueue(dispatchQueue('mine')),
    'declare an exchange': (channel) => channel.assertExchange('mine', 'fanout'),
    'delete the dispatch messages': (channel) => channel.deleteQueue(dispatchQueue('default')),
    'delete the dead letters': (channel) => channel.deleteQueue(exchanges.dead),
    'delete the exchange of dispatch messages': (channel) => channel.deleteExchange(exchanges.jobs),
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
        ...(['dispatch message through its exchange', 'publish an event', 'command the workers'] as const),
        ...(['tell of a registration', 'listen to registrations'] as const),
        ...(['listen to events by name', 'have a queue that feeds the dispatch messages'] as const),
        // Binding is reading here and writing there, which it may: it could carry the messages over by hand.
        ...(['have ends of jobs dispatch message', 'have ends of jobs command the workers'] as const),
      ],
    ],
    // Purging is reading, for RabbitMQ: who may consume a queue may empty it.
    [
      'worker',
      [
        ...([
          'publish an event',
          'publish a dead letter',
          'get dispatch messages',
          'consume dispatch messages',
          'purge dispatch messages',
        ] as const),
        ...(['listen to commands', 'have commands told as events', 'tell of a registration'] as const),
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

  it('lets the doctor declare and look after all that is there, and nothing else', async () => {
    await connectAs('doctor').connection.opened;
    const newChannel = await channelsOf('doctor');
    const outcomes: Record<string, string> = {};
    for (const what of [
      'declare one more for dispatch messages',
      'get dead letters',
      'dispatch past it',
      'purge dispatch messages',
      'get dispatch messages',
    ])
      outcomes[what] = await outcomeOf(attempts[what] as Attempt, await newChannel());
    for (const what of ['declare a queue', 'declare an exchange'])
      outcomes[what] = await outcomeOf(attempts[what] as Attempt, await newChannel());
    await outcomeOf((channel) => channel.deleteQueue(dispatchQueue('mine')), await newChannel());
    const refused = { 'declare a queue': 'ACCESS_REFUSED', 'declare an exchange': 'ACCESS_REFUSED' };
    expect(outcomes).toEqual({
      ...Object.fromEntries(Object.keys(outcomes).map((what) => [what, 'done'])),
      ...refused,
    });
  });
});
