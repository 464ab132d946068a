import { createPublisher, type Connection, type Publisher, type PublisherOptions } from '@offload/messaging';

/**
 * Most dispatch messages of a queue that are unconfirmed at once. When a quorum queue has 32 unconfirmed messages,
 * RabbitMQ stops giving credit to the channel. It may have given credit for 201 messages by then. When these are used
 * up, RabbitMQ reads nothing more from the connection. A healthy queue confirms 200 messages within a few milliseconds.
 * https://www.rabbitmq.com/docs/quorum-queues#configuration (`quorum_commands_soft_limit`),
 * `credit_flow_default_credit`
 */
const MOST_UNCONFIRMED = 200;

/**
 * Makes a publisher for each queue, with a channel and a bound of its own. So a queue that confirms nothing stops no
 * other.
 *
 * @param queues the queues whose channels are opened at once. The channel of another queue is opened with its first
 *   dispatch message, which stays pending
 */
export function createDispatchPublishers(
  broker: Connection,
  queues: readonly string[],
  options: Pick<PublisherOptions, 'timeoutMs'> = {},
): (queue: string) => Publisher {
  const publishers = new Map<string, Publisher>();

  function publisherOf(queue: string): Publisher {
    const known = publishers.get(queue);
    if (known) return known;
    // A dispatch message that cannot be sent at once stays pending in the outbox.
    const publisher = createPublisher(broker, { ...options, whileAway: 'fail', maxUnconfirmed: MOST_UNCONFIRMED });
    publishers.set(queue, publisher);
    return publisher;
  }

  queues.forEach(publisherOf);
  return publisherOf;
}
