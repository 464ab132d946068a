import { exchanges, jobTopology, dispatchQueue } from '@offload/job-messages';
import { jobStatus } from '@offload/jobs';
import { endings, eventName } from '@offload/jobs/events';
import type { QueueDeclaration } from '@offload/messaging';
import type { Json } from '../contract/schemas.ts';
import { AMQP_BINDING, type MessageName } from './messages.ts';

/** The placeholder of a queue's name, in names and routing keys. */
const ANY_QUEUE = '{queue}';

const topology = jobTopology([ANY_QUEUE]);
const onBroker = [{ $ref: '#/servers/broker' }, { $ref: '#/servers/brokerOverTls' }];

const queueParameter = {
  queue: { description: 'A queue that QUEUES names.', default: 'default' },
};
const events = [...jobStatus.options, 'progress'].map((what) => eventName.parse(`job.${what}`));
const eventParameter = { event: { description: 'The kind of event.', enum: events } };

/** The exchanges, queues and URLs that messages go to or come from. */
export const channels = {
  dispatches: toExchange(exchanges.jobs, 'dispatch', {
    title: 'Dispatches',
    description: 'The routing key is the queue.',
    address: ANY_QUEUE,
    parameters: queueParameter,
  }),
  dispatchQueue: fromQueue(dispatchQueue(ANY_QUEUE), 'dispatch', {
    title: 'The dispatch messages of one queue',
    description: 'The unacknowledged delivery is the lease of its job.',
    parameters: queueParameter,
  }),
  events: toExchange(exchanges.events, 'event', {
    title: 'Events',
    description: 'Every listener receives every event. The routing key is the kind of event.',
    address: '{event}',
    parameters: eventParameter,
  }),
  eventsByName: toExchange(exchanges.eventsByName, 'event', {
    title: 'Events by name',
    description: `Receives all events from ${exchanges.events}, for listeners that want some kinds only. No process publishes to it.`,
    address: '{event}',
    parameters: eventParameter,
  }),
  eventListener: ownQueue(exchanges.events, 'event', 'The queue of one listener for all events'),
  endListener: ownQueue(exchanges.eventsByName, 'event', 'The queue of one listener for finished jobs', endings),
  control: toExchange(exchanges.control, 'control', {
    title: 'Control',
    description: 'Every worker receives each command. The routing key is empty.',
    address: '',
  }),
  controlListener: ownQueue(exchanges.control, 'control', 'The queue of one worker for commands'),
  registrations: toExchange(exchanges.registrations, 'registration', {
    title: 'Registrations',
    description: 'Every api receives each registration. The routing key is empty.',
    address: '',
  }),
  registrationListener: ownQueue(exchanges.registrations, 'registration', 'The queue of one api for registrations'),
  deadLetters: toExchange(exchanges.dead, 'deadLetter', {
    title: 'Dead letters',
    description:
      'A dead letter from a worker has an empty routing key; one from RabbitMQ has the routing key of the dispatch message.',
    address: null,
  }),
  deadLetterQueue: fromQueue(exchanges.dead, 'deadLetter', {
    title: 'The queue of dead letters',
    description:
      'Dead letters stay until an operator lists and redrives or deletes them: `npm run doctor -- dead-letters`.',
  }),
  webhook: {
    title: 'Webhook',
    description: "The URL of a job's `webhook`, or of a configured endpoint.",
    address: null,
    servers: [{ $ref: '#/servers/receiver' }],
    messages: refer('webhook'),
  },
} satisfies Record<string, Json>;

export type ChannelName = keyof typeof channels;

function toExchange(name: string, message: MessageName, about: Json): Json {
  const declared = topology.exchanges?.[name];
  if (!declared) throw new TypeError(`the topology has no exchange ${name}`);
  const exchange = { name, type: declared.type, durable: true, autoDelete: false };
  return channel(message, about, { is: 'routingKey', exchange });
}

function fromQueue(name: string, message: MessageName, about: Json): Json {
  const declared = topology.queues?.[name];
  if (!declared) throw new TypeError(`the topology has no queue ${name}`);
  const more = { 'x-arguments': argumentsOf(declared), 'x-bindings': bindingsOf(declared) };
  const queue = { name, durable: true, exclusive: false, autoDelete: false };
  return channel(message, { address: name, ...about }, { is: 'queue', queue }, more);
}

/**
 * The queue of one listener, as libs/messaging's subscriber.ts declares it: RabbitMQ deletes it with its connection.
 */
function ownQueue(exchange: string, message: MessageName, title: string, routingKeys: readonly string[] = ['']): Json {
  const description =
    'RabbitMQ names the queue, and deletes it when its listener is gone: the listener misses later messages.';
  const bindings = routingKeys.map((routingKey) => ({ exchange, routingKey }));
  const more = { 'x-arguments': {}, 'x-bindings': bindings };
  const queue = { name: '', durable: false, exclusive: true, autoDelete: true };
  return channel(message, { title, description, address: null }, { is: 'queue', queue }, more);
}

/** AsyncAPI's AMQP binding has no member for a queue's arguments and bindings, so they are members of the channel. */
function channel(message: MessageName, about: Json, binding: Json, more: Json = {}): Json {
  const amqp = { ...binding, bindingVersion: AMQP_BINDING };
  return { ...about, servers: onBroker, messages: refer(message), bindings: { amqp }, ...more };
}

function refer(message: MessageName): Json {
  return { [message]: { $ref: `#/components/messages/${message}` } };
}

function bindingsOf({ bindings = [] }: QueueDeclaration): Json[] {
  return bindings.map(({ exchange, routingKey = '' }) => ({ exchange, routingKey }));
}

/** The arguments by the names of libs/messaging's topology.ts; a test compares them with those at the broker. */
function argumentsOf({ type = 'quorum', deadLetterExchange, deliveryLimit, ...more }: QueueDeclaration): Json {
  return {
    'x-queue-type': type,
    ...(deadLetterExchange !== undefined && { 'x-dead-letter-exchange': deadLetterExchange }),
    ...(deliveryLimit !== undefined && { 'x-delivery-limit': deliveryLimit }),
    ...more.arguments,
  };
}
