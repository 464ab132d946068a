import type { Connection } from './connection.ts';
import { deliveryOf, identityOf, receive, type Delivery, type Identity } from './delivery.ts';
import { readMessage, type BodyOf, type MessageKind } from './message.ts';
import { tellFault, tellStep } from './messaging-events.ts';

/** What {@link subscribe} receives, and how it handles each message. */
export interface SubscriberOptions<Kind extends MessageKind> {
  /** Name of the exchange. */
  exchange: string;
  /** Routing keys to receive. A fanout exchange ignores them and sends every message. @default [''] */
  routingKeys?: readonly string[];
  /** The kind of message that the exchange carries. A message of another kind is dropped and reported as a fault. */
  message: Kind;
  /** Is called first, for every message. If it throws, the message is dropped and the error is reported as a fault. */
  onMessage?(identity: Identity): void;
  /**
   * Decides before the body is read: false drops the message unread, without a fault. If it throws, the message is
   * dropped and the error is reported as a fault. Each member of the identity may be undefined.
   * @default every message is wanted
   */
  wants?(identity: Identity): boolean;
  /** Handles one message. An error that it throws is reported as a fault; the message does not come again. */
  handle(delivery: Delivery<BodyOf<Kind>>): Promise<void> | void;
  /** Is called at each subscription. After a reconnect, messages that were sent since the loss are missed. */
  onListening?(): void;
}

/**
 * Receives the messages of an exchange through its own queue. The broker names that queue and deletes it with the
 * connection. Every subscriber receives each message that is sent while it is subscribed, and none from before.
 * https://www.rabbitmq.com/docs/queues#server-named-queues
 *
 * @example
 * ```ts
 * subscribe(connection, { exchange: 'jobs.control', message: control, handle: ({ body }) => obey(body) });
 * ```
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
    .catch(() => undefined); // the connection closed before it was open: `opened` rejects
}
