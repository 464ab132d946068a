import { exchanges, jobTopology, dispatchQueue } from '@offload/job-messages';
import { jobStatus } from '@offload/jobs';
import { endings, eventName } from '@offload/jobs/events';
import type { QueueDeclaration } from '@offload/messaging';
import type { Json } from '../contract/schemas.ts';
import { AMQP_BINDING, type MessageName } from './messages.ts';

/** Stands for any queue of jobs, in names and routing keys. */
const ANY_QUEUE = '{queue}';

const topology = jobTopology([ANY_QUEUE]);
const onBroker = [{ $ref: '#/servers/broker' }, { $ref: '#/servers/brokerOverTls' }];

const queueParameter = {
  queue: { description: 'A queue of jobs, one of those that QUEUES names.', default: 'default' },
};
const events = [...jobStatus.options, 'progress'].map((what) => eventName.parse(`job.${what}`));
const eventParameter = { event: { description: 'What happened.', enum: events } };

/** Where messages go to, or come from. */
export const channels = {
  dispatches: toExchange(exchanges.jobs, 'dispatch', {
    title: 'Dispatches',
    description: 'The routing key is the queue.',
    address: ANY_QUEUE,
    parameters: queueParameter,
  }),
  dispatchQueue: fromQueue(dispatchQueue(ANY_QUEUE), 'dispatch', {
    title: 'The dispatch messages of one queue',
    description: 'A delivery that is not acknowledged is the lease of its job.',
    parameters: queueParameter,
  }),
  events: toExchange(exchanges.events, 'event', {
    title: 'Events',
    description: 'Every listener hears every event. The routing key says which it is, without the body being read.',
    address: '{event}',
    parameters: eventParameter,
  }),
  eventsByName: toExchange(exchanges.eventsByName, 'event', {
    title: 'Events by name',
    description: `Fed by ${exchanges.events}, for who wants some of them: nobody sends to it.`,
    address: '{event}',
    parameters: eventParameter,
  }),
  eventListener: ownQueue(exchanges.events, 'event', 'What one listener hears of the events'),
  endListener: ownQueue(exchanges.eventsByName, 'event', 'What one listener hears of the ends of jobs', endings),
  control: toExchange(exchanges.control, 'control', {
    title: 'Control',
    description: 'Every worker hears it. The routing key is empty.',
    address: '',
  }),
  controlListener: ownQueue(exchanges.control, 'control', 'What one worker hears of control'),
  registrations: toExchange(exchanges.registrations, 'registration', {
    title: 'Registrations',
    description: 'Every api hears it. The routing key is empty.',
    address: '',
  }),
  registrationListener: ownQueue(exchanges.registrations, 'registration', 'What one api hears of registrations'),
  deadLetters: toExchange(exchanges.dead, 'deadLetter', {
    title: 'Dead letters',
    description: "A worker's have an empty routing key, RabbitMQ's that of the dispatch message.",
    address: null,
  }),
  deadLetterQueue: fromQueue(exchanges.dead, 'deadLetter', {
    title: 'What became a dead letter',
    description: 'Nothing takes it out by itself: `npm run doctor` lists it and sends it again.',
  }),
  webhook: {
    title: 'Webhook',
    description: "The URL that a job's `webhook` names, or a configured endpoint's: known when there is one.",
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

/** As libs/messaging's subscriber.ts declares it: each listener's own, gone with its connection. */
function ownQueue(exchange: string, message: MessageName, title: string, routingKeys: readonly string[] = ['']): Json {
  const description = 'Named by the broker, and deleted when its listener is gone: what was sent meanwhile is missed.';
  const bindings = routingKeys.map((routingKey) => ({ exchange, routingKey }));
  const more = { 'x-arguments': {}, 'x-bindings': bindings };
  const queue = { name: '', durable: false, exclusive: true, autoDelete: true };
  return channel(message, { title, description, address: null }, { is: 'queue', queue }, more);
}

/** AMQP's binding has no place for a queue's arguments and what flows into it: they are the channel's own. */
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

/** As libs/messaging's topology.ts names them; a test compares them with what a broker then has. */
function argumentsOf({ type = 'quorum', deadLetterExchange, deliveryLimit, ...more }: QueueDeclaration): Json {
  return {
    'x-queue-type': type,
    ...(deadLetterExchange !== undefined && { 'x-dead-letter-exchange': deadLetterExchange }),
    ...(deliveryLimit !== undefined && { 'x-delivery-limit': deliveryLimit }),
    ...more.arguments,
  };
}
