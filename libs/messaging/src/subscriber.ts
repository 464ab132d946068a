import type { Connection } from './connection.ts';
import { deliveryOf, receive, type Delivery } from './delivery.ts';
import { readMessage, type BodyOf, type MessageKind } from './message.ts';
import { tellFault, tellStep } from './messaging-events.ts';

export interface SubscriberOptions<Kind extends MessageKind> {
  /** A fanout exchange. */
  exchange: string;
  /** What the messages are; one that is something else is dropped, and told as a fault. */
  message: Kind;
  /** What it throws is told as a fault; the message is not heard again. */
  handle(delivery: Delivery<BodyOf<Kind>>): Promise<void> | void;
  /** Listening, or listening again: what was sent before this moment and after the last loss was missed. */
  onListening?(): void;
}

/**
 * Listens to a fanout exchange through a queue of its own, which the broker names and deletes with the connection: every
 * listener hears everything while it listens, and nothing of before. https://www.rabbitmq.com/docs/queues#server-named-queues
 */
export function subscribe<Kind extends MessageKind>(connection: Connection, options: SubscriberOptions<Kind>): void {
  const { exchange, message: kind, handle, onListening } = options;
  const { events } = connection;

  void connection
    .keepChannel(async (channel) => {
      const { queue } = await channel.assertQueue('', { exclusive: true, autoDelete: true, durable: false });
      await channel.bindQueue(queue, exchange, '');
      const noAck = { noAck: true };
      await receive(
        channel,
        queue,
        async (message, signal) => {
          tellStep(events, 'consumed', exchange);
          try {
            const read = readMessage(kind, message);
            if ('reason' in read) throw new Error(`dropped: ${read.reason}`);
            await handle(deliveryOf(message, read.body, signal));
          } catch (error) {
            tellFault(events, error as Error, { where: exchange, messageId: message.properties.messageId });
          }
          tellStep(events, 'acked', exchange);
        },
        noAck,
      );
      onListening?.();
    })
    .catch(() => undefined); // closed before it was open: `opened` tells
}
