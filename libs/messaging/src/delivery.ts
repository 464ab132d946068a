import { setMaxListeners } from 'node:events';
import type { ConfirmChannel, ConsumeMessage, Options } from 'amqplib';
import { DeliveryLostError } from './errors.ts';

/** One arrival of a message at a consumer or subscriber. */
export interface Delivery<Body> {
  /** The parsed body. */
  body: Body;
  /**
   * AMQP's `message_id`; undefined when the sender set none. This library's publishers set a new one for each message.
   */
  messageId: string | undefined;
  /** AMQP's `correlation_id`: what the message is about. Undefined when the sender set none. */
  correlationId: string | undefined;
  /** The routing key that the sender set. A fanout exchange ignores it and passes it on. */
  routingKey: string;
  /** When the message was sent, to the second; undefined when the sender set no valid time. */
  timestamp: Date | undefined;
  /** W3C Trace Context, where it is well-formed. https://www.w3.org/TR/trace-context/#traceparent-header */
  traceparent: string | undefined;
  /** All headers, as amqplib decodes them. */
  headers: Record<string, unknown>;
  /** Whether RabbitMQ delivered the message before: the earlier consumer lost its channel or requeued the message. */
  redelivered: boolean;
  /**
   * How often a quorum queue has delivered the message before, from 0. It is always 0 in a classic queue. The value is
   * `x-acquired-count` where the broker sends it: since 4.3, `x-delivery-count` leaves out requeued deliveries.
   * https://www.rabbitmq.com/docs/quorum-queues#poison-message-handling
   */
  deliveryCount: number;
  /**
   * Fires when the channel is lost: the broker then delivers the message to another consumer, unless it has the verdict
   * already. The reason is a `DeliveryLostError` if the connection stayed open. All deliveries of a channel share the
   * signal, so remove your listeners.
   */
  signal: AbortSignal;
}

/** Makes a {@link Delivery} of amqplib's message and its parsed body. */
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

/** What identifies a message without its body. */
export type Identity = Pick<Delivery<unknown>, 'messageId' | 'correlationId' | 'routingKey'>;

/** Reads a message's {@link Identity}. */
export function identityOf({ properties, fields }: ConsumeMessage): Identity {
  const { messageId, correlationId } = properties as { messageId?: string; correlationId?: string };
  return { messageId, correlationId, routingKey: fields.routingKey };
}

/** AMQP's timestamps are in seconds. */
function dateOf(timestamp: unknown): Date | undefined {
  const date = typeof timestamp === 'number' ? new Date(timestamp * 1_000) : undefined;
  return date && Number.isNaN(date.getTime()) ? undefined : date;
}

const traceparent = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}/;

function traceparentOf(header: unknown): string | undefined {
  return typeof header === 'string' && traceparent.test(header) ? header : undefined;
}

/**
 * Subscribes to a queue until the channel is lost. If the broker cancels the subscription, this function closes the
 * channel, so that the owner of the channel opens it and subscribes again. RabbitMQ cancels when the queue is deleted.
 * Since 4.3 it also cancels when an acknowledgement takes longer than `consumer_timeout`; earlier versions close the
 * channel.
 *
 * @param onMessage must not reject; its signal fires when the channel is lost
 * @returns the consumer tag, and a function that tells whether the channel is lost
 */
export async function receive(
  channel: ConfirmChannel,
  queue: string,
  onMessage: (message: ConsumeMessage, signal: AbortSignal) => Promise<void>,
  options?: Options.Consume,
): Promise<{ tag: string; isLost(): boolean }> {
  const lost = new AbortController();
  setMaxListeners(0, lost.signal); // each delivery may add a listener
  let reason = new Error('the channel is gone: the broker delivers the message again');
  // A lost connection emits no 'error' on its channels, only 'close'.
  channel.on('error', ({ message }: Error) => (reason = new DeliveryLostError(message)));
  channel.on('close', () => lost.abort(reason));
  const onDelivery = (message: ConsumeMessage | null): void => {
    if (message) return void onMessage(message, lost.signal);
    channel.emit('error', new Error(cancelled(queue))); // listeners of 'error' learn why the channel closes
    void channel.close().catch(() => undefined); // the channel may be closed already
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
