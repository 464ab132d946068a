import { describe, expect, it } from '@jest/globals';
import {
  BrokerRefusedError,
  type Connection,
  consume,
  createPublisher,
  subscribe,
  type SubscriberOptions,
  type Verdict,
} from '@offload/messaging';
import { eventually, take } from '@offload/spec-kit';
import { z } from 'zod';
import { exchanges, jobTopology, dispatchQueue } from './topology.ts';
import { urlOf, asOperator, connectAs, channelsOf } from './spec-rendered-broker.ts';

describe('a broker with the rendered definitions', () => {
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

  it.each(['guest', 'offload', 'api'])('does not let %s in with its name for a password', async (user) => {
    const { connection } = connectAs('api', { url: urlOf(user, user) });
    await expect(connection.opened).rejects.toThrow(BrokerRefusedError);
  });

  const dispatch = { type: 'dispatch', version: 1, schema: z.object({ jobId: z.string() }) };
  const event = { type: 'event', version: 1, schema: z.object({ status: z.string() }) };

  /** The processes as they are: an api, a worker with the two connections that publish and consume, a notifier. */
  async function processes(handle: (jobId: string) => Verdict) {
    const publishing = connectAs('worker').connection;
    const api = connectAs('api').connection;
    const dispatcher = createPublisher(api);
    const publisher = createPublisher(publishing);
    const { connection: consuming, faults } = connectAs('worker');
    consume(consuming, {
      queue: dispatchQueue('mail.eu'),
      message: dispatch,
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
      dispatch: (jobId: string) =>
        dispatcher.publish(dispatch, { jobId }, { exchange: exchanges.jobs, routingKey: 'mail.eu' }),
    };
  }

  it('carries a dispatch message from the api to a worker, and its event to a notifier and to an api that waits for it', async () => {
    const { heard, heardByApi, faults, dispatch } = await processes(() => 'ack');
    await dispatch('first');
    await eventually(() => expect(heard).toEqual(['first']));
    await dispatch('awaited');
    await eventually(() => expect(heard).toEqual(['first', 'awaited']));
    await eventually(() => expect(heardByApi).toEqual(['awaited']));
    expect(faults).toEqual([]);
  });

  it('carries what a worker rejects to the dead letters, with the reason', async () => {
    const letters = await (await channelsOf('operator'))();
    await letters.purgeQueue(exchanges.dead);
    const { faults, dispatch } = await processes((jobId) => ({ reject: `not ${jobId}` }));
    await dispatch('second');
    const { content, properties } = await take(letters, exchanges.dead);
    expect(JSON.parse(content.toString())).toEqual({ jobId: 'second' });
    expect(properties.headers).toMatchObject({ 'x-offload-reason': 'not second', 'x-offload-queue': 'mail.eu' });
    expect(faults).toEqual(['rejected: not second']);
  });

  it('sends no dispatch for a worker, which goes on with what it may send', async () => {
    const publisher = createPublisher(connectAs('worker').connection);
    const sent = publisher.publish(dispatch, { jobId: 'third' }, { exchange: exchanges.jobs, routingKey: 'default' });
    await expect(sent).rejects.toThrow(/ACCESS_REFUSED.*exchange 'jobs'/);
    await publisher.publish(event, { status: 'there' }, { exchange: exchanges.events, mandatory: false });
  });

  it('tells an api why it does not consume', async () => {
    const { connection } = connectAs('api');
    const states: (string | undefined)[] = [];
    connection.events.on('state', (_state, reason) => void states.push(reason));
    consume(connection, { queue: dispatchQueue('default'), message: dispatch, handle: () => 'ack' });
    await eventually(() => expect(states).toEqual([expect.stringMatching(/ACCESS_REFUSED.*queue 'jobs\.default'/)]));
    expect(connection.state).toBe('connecting'); // as long as it can't do all that it is to do
  });
});
