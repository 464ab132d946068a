import type { Connection } from './connection.ts';
import { deliveryOf, identityOf, receive, type Delivery, type Identity } from './delivery.ts';
import { readMessage, type BodyOf, type MessageKind } from './message.ts';
import { tellFault, tellStep } from './messaging-events.ts';

export interface SubscriberOptions<Kind extends MessageKind> {
  exchange: string;
  /** What is heard: of a fanout exchange everything, whatever they are. @default [''] */
  routingKeys?: readonly string[];
  /** What the messages are; one that is something else is dropped, and told as a fault. */
  message: Kind;
  /** Told of every message, before anything else. What it throws is told as a fault, and drops the message. */
  onMessage?(identity: Identity): void;
  /**
   * Asked before the body is read: false drops the message unread, whatever is in it, which is no fault. What it throws
   * is one, and drops the message too. Any sender may leave out any of it.
   * @default everything is wanted
   */
  wants?(identity: Identity): boolean;
  /** What it throws is told as a fault; the message is not heard again. */
  handle(delivery: Delivery<BodyOf<Kind>>): Promise<void> | void;
  /** Listening, or listening again: what was sent before this moment and after the last loss was missed. */
  onListening?(): void;
}

/**
 * Listens to an exchange through a queue of its own, which the broker names and deletes with the connection: every
 * listener hears all of it while it listens, and nothing of before. https://www.rabbitmq.com/docs/queues#server-named-queues
 */
export function subscribe<Kind extends MessageKind>(connection: Connection, options: SubscriberOptions<Kind>): void {
  const { exchange, routingKeys = [''], message: kind, onMessage, wants = () => true, handle, onListening } = options;
  const { events } = connection;

  void connection
    .keepChannel(async (channel) => {
      const { queue } = await channel.assertQueue('', { exclusive: true, autoDelete: true, durable: false });
      for (const key of routingKeys) await channel.bindQueue(queue, exchange, key);
      const noAck = { noAck: true };
      await receive(
        channel,
        queue,
        async (message, signal) => {
          tellStep(events, 'consumed', exchange);
          try {
            const identity = identityOf(message);
            onMessage?.(identity);
            if (wants(identity)) {
              const read = readMessage(kind, message);
              if ('reason' in read) throw new Error(`dropped: ${read.reason}`);
              await handle(deliveryOf(message, read.body, signal));
            }
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
