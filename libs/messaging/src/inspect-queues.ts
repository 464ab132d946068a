import type { Connection } from './connection.ts';
import { currentChannel } from './current-channel.ts';
import { BrokerUnavailableError } from './errors.ts';

/** What the broker tells everybody about a queue, whatever rights they have. */
export interface QueueStatus {
  /** Messages that wait: those that a consumer has, but has not acknowledged, are not among them. */
  ready: number;
  consumers: number;
}

export interface QueueInspector {
  /**
   * @returns null when there is no such queue. Then the connection's topology is declared once more, so that a queue
   *   somebody deleted comes back.
   * @throws BrokerUnavailableError while there is no channel to ask on
   */
  inspect(queue: string): Promise<QueueStatus | null>;
}

/** Looks at queues by declaring them passively, on a channel of its own: the broker closes it when there is none. */
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
