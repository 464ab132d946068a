import type { Channel, ChannelModel } from 'amqplib';
import { TopologyMismatchError } from './errors.ts';

/** Exchanges and queues by name. Durable all of them: they and what is in them survive a restart of the broker. */
export interface Topology {
  exchanges?: Record<string, ExchangeDeclaration>;
  queues?: Record<string, QueueDeclaration>;
}

export interface ExchangeDeclaration {
  type: 'direct' | 'fanout' | 'topic' | 'headers';
  /** What flows in from other exchanges, besides what is sent to it. https://www.rabbitmq.com/docs/e2e @default nothing */
  bindings?: readonly Binding[];
}

export interface Binding {
  exchange: string;
  /** @default '' */
  routingKey?: string;
}

export interface QueueDeclaration {
  /** A quorum queue keeps what it has confirmed whichever node is lost. @default 'quorum' */
  type?: 'quorum' | 'classic';
  /** What flows in, besides what is sent to the queue by its name. @default nothing */
  bindings?: readonly Binding[];
  /** Exchange for what is rejected or over the delivery limit. @default none: it is gone */
  deadLetterExchange?: string;
  /**
   * How often a message may come back, after a crash of its consumer or a reject, before it is dead-lettered. A last
   * resort behind the consumer's own counting, since versions count differently: only since 4.3 is a `basic.nack` free.
   * Quorum queues only. https://www.rabbitmq.com/docs/quorum-queues#poison-message-handling
   * @default the broker's own: 20 from RabbitMQ 4.0, none before
   */
  deliveryLimit?: number;
  /** Any other argument, such as `x-message-ttl`. */
  arguments?: Record<string, unknown>;
}

/**
 * Declares everything; what is there already stays as it is. A user who may not configure something (403) finds out
 * whether it is there instead, which RabbitMQ allows everybody.
 *
 * @throws TopologyMismatchError when something is there with other arguments (406)
 */
export async function declareTopology(model: ChannelModel, topology: Topology): Promise<void> {
  try {
    await withChannel(model, (channel) => assertAll(channel, topology));
  } catch (error) {
    if ((error as { code?: unknown }).code !== 403) throw mismatch(error as Error) ?? error;
    await withChannel(model, (channel) => checkAll(channel, topology)).catch((missing: Error) => {
      throw new Error(`${missing.message}, and it may not be declared: ${(error as Error).message}`, {
        cause: missing,
      });
    });
  }
}

async function withChannel(model: ChannelModel, use: (channel: Channel) => Promise<void>): Promise<void> {
  const channel = await model.createChannel();
  let open = true;
  channel.on('error', () => undefined).on('close', () => (open = false)); // the call that failed tells why
  try {
    await use(channel);
  } finally {
    if (open) await channel.close().catch(() => undefined); // lost with its connection: it is closed
  }
}

async function assertAll(channel: Channel, { exchanges = {}, queues = {} }: Topology): Promise<void> {
  for (const [name, { type }] of Object.entries(exchanges)) await channel.assertExchange(name, type, { durable: true });
  for (const [name, { bindings = [] }] of Object.entries(exchanges)) {
    for (const { exchange, routingKey = '' } of bindings) await channel.bindExchange(name, exchange, routingKey);
  }
  for (const [name, queue] of Object.entries(queues)) {
    await channel.assertQueue(name, { durable: true, arguments: argumentsOf(queue) });
    for (const { exchange, routingKey = '' } of queue.bindings ?? []) {
      await channel.bindQueue(name, exchange, routingKey);
    }
  }
}

async function checkAll(channel: Channel, { exchanges = {}, queues = {} }: Topology): Promise<void> {
  for (const name of Object.keys(exchanges)) await channel.checkExchange(name);
  for (const name of Object.keys(queues)) await channel.checkQueue(name);
}

/** The arguments of a queue's declaration, as RabbitMQ names them. */
function argumentsOf(queue: QueueDeclaration): Record<string, unknown> {
  const { type = 'quorum', deadLetterExchange, deliveryLimit } = queue;
  return {
    'x-queue-type': type,
    ...(deadLetterExchange !== undefined && { 'x-dead-letter-exchange': deadLetterExchange }),
    ...(deliveryLimit !== undefined && { 'x-delivery-limit': deliveryLimit }),
    ...queue.arguments,
  };
}

/** RabbitMQ's words: inequivalent arg 'x' for queue 'q' in vhost 'v': received the value … but current is … */
const inequivalent = /inequivalent arg '(.+?)' for (queue|exchange) '(.+?)' in vhost '(.+?)': ([^"]+)/;

function mismatch(cause: Error): TopologyMismatchError | null {
  const [, argument, kind, name, vhost, values] = inequivalent.exec(cause.message) ?? [];
  if (argument === undefined) return null;
  return new TopologyMismatchError(
    `the ${kind} "${name}" in the vhost "${vhost}" exists with another ${argument} (${values}). Declare it as it is, ` +
      `or delete it, once what is in it is no longer wanted, so that it can be declared anew`,
    { cause },
  );
}
