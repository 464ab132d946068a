import { createPublisher, type Connection, type Publisher, type PublisherOptions } from '@offload/messaging';

/**
 * Most dispatch messages of a queue that are with the broker unconfirmed. With 32 for a quorum queue that does not answer, RabbitMQ gives
 * the channel no more credit, and it gives the last 201 messages' worth at worst: when that is used up it reads nothing more
 * from the connection. A healthy queue confirms so many within a few milliseconds.
 * https://www.rabbitmq.com/docs/quorum-queues#configuration (`quorum_commands_soft_limit`), `credit_flow_default_credit`
 */
const MOST_UNCONFIRMED = 200;

/**
 * A publisher for the dispatch messages of each queue, with a channel and a bound of its own: a queue that confirms nothing stops no other.
 *
 * @param queues have their channels from the start; that of any other is opened with its first dispatch message, which stays pending
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
    // What can't be sent at once stays pending in the outbox.
    const publisher = createPublisher(broker, { ...options, whileAway: 'fail', maxUnconfirmed: MOST_UNCONFIRMED });
    publishers.set(queue, publisher);
    return publisher;
  }

  queues.forEach(publisherOf);
  return publisherOf;
}
