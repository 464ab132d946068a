import type { Connection } from './connection.ts';
import { currentChannel } from './current-channel.ts';
import { BrokerUnavailableError } from './errors.ts';

/** How full a queue is. The broker tells every user, also a user without rights. */
export interface QueueStatus {
  /** Messages that wait. Messages that a consumer has not acknowledged yet are not counted. */
  ready: number;
  /** Subscribed consumers. */
  consumers: number;
}

/** Reads the status of queues. {@link inspectQueues} makes it. */
export interface QueueInspector {
  /**
   * Reads the status of one queue.
   *
   * @returns null when there is no such queue. Then the connection declares its topology again, so that a deleted queue
   *   comes back.
   * @throws BrokerUnavailableError while no channel is open, or when the channel is lost meanwhile
   */
  inspect(queue: string): Promise<QueueStatus | null>;
}

/**
 * Makes an inspector that declares queues passively. It has its own channel, because the broker closes the channel when
 * the queue does not exist.
 *
 * @example
 * ```ts
 * const status = await inspectQueues(connection).inspect('orders'); // { ready: 12, consumers: 2 }
 * ```
 */
export function inspectQueues(connection: Connection): QueueInspector {
  const channel = currentChannel(connection);

  return {
    async inspect(queue) {
      if (!channel.now) throw new BrokerUnavailableError('there is no channel to inspect queues on');
      try {
        const { messageCount: ready, consumerCount: consumers } = await channel.now.checkQueue(queue);
        return { ready, consumers };
      } catch (error) {
        if ((error as { code?: unknown }).code === 404) return null;
        throw new BrokerUnavailableError('the channel was lost while a queue was inspected', { cause: error });
      }
    },
  };
}
