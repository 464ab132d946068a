import type { Channel, ChannelModel } from 'amqplib';
import { TopologyMismatchError } from './errors.ts';

/**
 * Exchanges and queues by name. All are durable: they and their persistent messages survive a restart of the broker.
 */
export interface Topology {
  exchanges?: Record<string, ExchangeDeclaration>;
  queues?: Record<string, QueueDeclaration>;
}

/** How an exchange is declared. */
export interface ExchangeDeclaration {
  type: 'direct' | 'fanout' | 'topic' | 'headers';
  /** Exchanges whose messages flow into this exchange, too. https://www.rabbitmq.com/docs/e2e @default none */
  bindings?: readonly Binding[];
}

/** A source of messages: an exchange, and the routing key to match. */
export interface Binding {
  exchange: string;
  /** @default '' */
  routingKey?: string;
}

/** How a queue is declared. */
export interface QueueDeclaration {
  /** A quorum queue keeps its confirmed messages while a majority of its nodes works. @default 'quorum' */
  type?: 'quorum' | 'classic';
  /**
   * Exchanges whose messages flow into the queue. Messages sent to the queue by its name arrive without one. @default
   * none
   */
  bindings?: readonly Binding[];
  /** Exchange for messages that are rejected or over the delivery limit. @default none: they are deleted */
  deadLetterExchange?: string;
  /**
   * How often a message may return to the queue, after a crash of its consumer or a reject, before it becomes a dead
   * letter. Use it as a last resort behind your own counting of attempts: versions count differently, and only since
   * 4.3 does `basic.nack` not count. Quorum queues only.
   * https://www.rabbitmq.com/docs/quorum-queues#poison-message-handling
   * @default the broker's own: 20 from RabbitMQ 4.0, none before
   */
  deliveryLimit?: number;
  /** Any other argument of the queue, such as `x-message-ttl`. @default none */
  arguments?: Record<string, unknown>;
}

/**
 * Declares exchanges, queues and bindings. What exists already stays as it is. A user without the right to configure
 * (403) checks passively whether everything exists, which RabbitMQ allows every user.
 *
 * @throws TopologyMismatchError when an exchange or queue exists with other arguments (406)
 */
export async function declareTopology(model: ChannelModel, topology: Topology): Promise<void> {
  try {
    await withChannel(model, (channel) => assertAll(channel, topology));
  } catch (error) {
    if ((error as { code?: unknown }).code !== 403) throw mismatch(error as Error) ?? error;
    await withChannel(model, (channel) => checkAll(channel, topology)).catch((missing: Error) => {
      throw new Error(`${missing.message}, and this user may not declare it: ${(error as Error).message}`, {
        cause: missing,
      });
    });
  }
}

async function withChannel(model: ChannelModel, use: (channel: Channel) => Promise<void>): Promise<void> {
  const channel = await model.createChannel();
  let open = true;
  channel.on('error', () => undefined).on('close', () => (open = false)); // the failed call rejects with the reason
  try {
    await use(channel);
  } finally {
    if (open) await channel.close().catch(() => undefined); // a lost connection has closed the channel
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

/** RabbitMQ's reply: inequivalent arg 'x' for queue 'q' in vhost 'v': received the value … but current is … */
const inequivalent = /inequivalent arg '(.+?)' for (queue|exchange) '(.+?)' in vhost '(.+?)': ([^"]+)/;

function mismatch(cause: Error): TopologyMismatchError | null {
  const [, argument, kind, name, vhost, values] = inequivalent.exec(cause.message) ?? [];
  if (argument === undefined) return null;
  return new TopologyMismatchError(
    `the ${kind} "${name}" in the vhost "${vhost}" exists with another ${argument} (${values}). Declare it with the existing value, ` +
      `or delete it once nothing in it is needed any more; it is then declared again`,
    { cause },
  );
}
