import { describe, expect, it } from '@jest/globals';
import { exchanges, jobEvents } from '@offload/job-messages';
import { endings } from '@offload/jobs/events';
import { connect, subscribe } from '@offload/messaging';
import { eventually } from '@offload/spec-kit';
import { asyncApiDocument } from './document.ts';
import { useObserver } from './spec-observer.ts';

const QUEUES = ['default', 'mail.eu'];
interface Exchange {
  name: string;
  type: string;
  durable: boolean;
}
interface Queue {
  name: string;
  durable: boolean;
  exclusive: boolean;
}
interface Binding {
  exchange: string;
  routingKey: string;
}
interface Channel {
  bindings?: { amqp: { exchange?: Exchange & { autoDelete: boolean }; queue?: Queue & { autoDelete: boolean } } };
  'x-arguments'?: object;
  'x-bindings'?: Binding[];
  address: string | null;
}
type Listed<Kind> = Omit<Kind, 'autoDelete'> & { auto_delete: boolean; arguments: object };

const document = JSON.parse(JSON.stringify(asyncApiDocument())) as { channels: Record<string, Channel> };
const observer = useObserver(QUEUES);
const byKey = (a: Binding, b: Binding) => a.routingKey.localeCompare(b.routingKey);
const byName = (a: { name: string }, b: { name: string }) => a.name.localeCompare(b.name);

describe('what the document says there is', () => {
  it('is what the broker has: every exchange, with its type', async () => {
    const said = Object.values(document.channels).flatMap(({ bindings }) => bindings?.amqp.exchange ?? []);
    const there = await observer.list<Listed<Exchange>>('exchanges');
    const ours = there.filter(({ name }) => name !== '' && !name.startsWith('amq.'));
    expect(
      ours
        .map(({ name, type, durable, auto_delete: autoDelete }) => ({ name, type, durable, autoDelete }))
        .sort(byName),
    ).toEqual(said.sort(byName));
  });

  it('is what the broker has: every queue, with its arguments and bindings', async () => {
    const lasting = Object.values(document.channels).filter(({ bindings }) => bindings?.amqp.queue?.durable);
    const said = lasting.flatMap((channel) => {
      // Where it stands for any queue of jobs, once for each.
      const queues = channel.address?.includes('{queue}') ? QUEUES : [''];
      return queues.map((queue) => describedQueue(JSON.parse(JSON.stringify(channel).replaceAll('{queue}', queue))));
    });
    expect(said.sort(byName)).toEqual((await queuesThere()).sort(byName));
    expect(said).toHaveLength(QUEUES.length + 1);
  });

  it.each([
    ['eventListener', exchanges.events, undefined],
    ['endListener', exchanges.eventsByName, endings],
    ['controlListener', exchanges.control, undefined],
    ['registrationListener', exchanges.registrations, undefined],
  ])('is what the broker has: the queue of each %s', async (name, exchange, routingKeys) => {
    const listener = connect({ url: observer.url });
    try {
      await new Promise<void>((onListening) => {
        const options = { exchange, message: jobEvents, handle: () => undefined, onListening };
        subscribe(listener, { ...options, ...(routingKeys && { routingKeys }) });
      });
      const own = (await queuesThere()).filter((queue) => queue.name.startsWith('amq.gen-'));
      const said = describedQueue(document.channels[name] as Channel);
      // RabbitMQ 4 notes its own choice where a declaration names no type.
      const asDeclared = own.map((queue) => ({ ...queue, name: '', arguments: without('classic', queue.arguments) }));
      expect(asDeclared).toEqual([said]);
    } finally {
      await listener.close();
      await eventually(async () => expect(await queuesThere()).toHaveLength(QUEUES.length + 1));
    }
  });

  function without(value: string, given: object) {
    return Object.fromEntries(Object.entries(given).filter((entry) => entry[1] !== value));
  }

  function describedQueue({ bindings, ...channel }: Channel) {
    const flowsIn = channel['x-bindings']?.toSorted(byKey);
    return { ...bindings?.amqp.queue, arguments: channel['x-arguments'], bindings: flowsIn } as There;
  }

  type There = { name: string; arguments: object; bindings: Binding[] };
  async function queuesThere(): Promise<There[]> {
    const all = await observer.list<{ source: string; destination: string; routing_key: string }>('bindings');
    const flowsInto = (name: string) =>
      all
        .filter(({ source, destination }) => source !== '' && destination === name)
        .map(({ source: exchange, routing_key: routingKey }) => ({ exchange, routingKey }))
        .sort(byKey);
    const queues = await observer.list<Listed<Queue>>('queues');
    return queues.map(({ name, durable, exclusive, auto_delete: autoDelete, arguments: given }) => {
      return { name, durable, exclusive, autoDelete, arguments: given, bindings: flowsInto(name) };
    });
  }
});
