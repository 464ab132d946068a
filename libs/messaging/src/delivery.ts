import { setMaxListeners } from 'node:events';
import type { ConfirmChannel, ConsumeMessage, Options } from 'amqplib';
import { DeliveryLostError } from './errors.ts';

/** One arrival of a message. */
export interface Delivery<Body> {
  body: Body;
  /** `undefined` when the sender gave none; ours has one, new with every publication. */
  messageId: string | undefined;
  /** What it is about, if the sender says so. */
  correlationId: string | undefined;
  /** By what the exchange routed it; a fanout exchange hands on whatever it was given. */
  routingKey: string;
  /** When it was sent, to the second, if the sender says so. */
  timestamp: Date | undefined;
  /** W3C Trace Context, where it is well-formed. https://www.w3.org/TR/trace-context/#traceparent-header */
  traceparent: string | undefined;
  headers: Record<string, unknown>;
  /** Handed out before: its former holder's channel is gone, or gave it back. */
  redelivered: boolean;
  /**
   * A number that grows whenever a quorum queue hands the message out again, from 0; always 0 in a classic queue. It is
   * `x-acquired-count` where the broker sends it, since from 4.3 on `x-delivery-count` leaves out what was merely given
   * back. https://www.rabbitmq.com/docs/quorum-queues#poison-message-handling
   */
  deliveryCount: number;
  /**
   * Fires when the channel is lost: then the broker gives the message to another consumer, unless it has had its
   * verdict. The reason is a `DeliveryLostError` when the connection stayed open. All deliveries of the channel share
   * the signal, so remove your listeners.
   */
  signal: AbortSignal;
}

export function deliveryOf<Body>(message: ConsumeMessage, body: Body, signal: AbortSignal): Delivery<Body> {
  const { timestamp, headers = {} } = message.properties;
  return {
    body,
    ...identityOf(message),
    timestamp: dateOf(timestamp),
    traceparent: traceparentOf(headers['traceparent']),
    headers,
    redelivered: message.fields.redelivered,
    deliveryCount: Number(headers['x-acquired-count'] ?? headers['x-delivery-count'] ?? 0),
    signal,
  };
}

/** What a message says of itself outside its body. */
export type Identity = Pick<Delivery<unknown>, 'messageId' | 'correlationId' | 'routingKey'>;

export function identityOf({ properties, fields }: ConsumeMessage): Identity {
  const { messageId, correlationId } = properties as { messageId?: string; correlationId?: string };
  return { messageId, correlationId, routingKey: fields.routingKey };
}

/** Seconds, as AMQP counts them. */
function dateOf(timestamp: unknown): Date | undefined {
  const date = typeof timestamp === 'number' ? new Date(timestamp * 1_000) : undefined;
  return date && Number.isNaN(date.getTime()) ? undefined : date;
}

const traceparent = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}/;

function traceparentOf(header: unknown): string | undefined {
  return typeof header === 'string' && traceparent.test(header) ? header : undefined;
}

/**
 * Subscribes to a queue until the channel is lost. When the broker ends the subscription by itself, it closes the channel,
 * so that whoever keeps it subscribes again: because the queue was deleted or, since RabbitMQ 4.3, because an
 * acknowledgement took longer than its `consumer_timeout` (before, it closed the channel itself).
 *
 * @param onMessage must not reject; is given a signal, which fires when the channel is lost
 * @returns the consumer tag, and whether the channel is lost
 */
export async function receive(
  channel: ConfirmChannel,
  queue: string,
  onMessage: (message: ConsumeMessage, signal: AbortSignal) => Promise<void>,
  options?: Options.Consume,
): Promise<{ tag: string; isLost(): boolean }> {
  const lost = new AbortController();
  setMaxListeners(0, lost.signal); // each delivery may listen
  let reason = new Error('the channel is gone: the broker hands the message out again');
  // Not where the connection is lost: then 'close' comes alone.
  channel.on('error', ({ message }: Error) => (reason = new DeliveryLostError(message)));
  channel.on('close', () => lost.abort(reason));
  const onDelivery = (message: ConsumeMessage | null): void => {
    if (message) return void onMessage(message, lost.signal);
    channel.emit('error', new Error(cancelled(queue))); // for all who want to know why it closes
    void channel.close().catch(() => undefined); // closed by then: the same outcome
  };
  const { consumerTag } = await channel.consume(queue, onDelivery, options);
  return { tag: consumerTag, isLost: () => lost.signal.aborted };
}

/** RabbitMQ gives no reason when it cancels a subscription. */
function cancelled(queue: string): string {
  return (
    `the broker cancelled the subscription to ${queue}: the queue was deleted or, from RabbitMQ 4.3 on, ` +
    'a delivery stayed unacknowledged for longer than its consumer_timeout'
  );
}
