import { setImmediate as turn } from 'node:timers/promises';
import type { ConfirmChannel } from 'amqplib';
import type { Connection } from './connection.ts';
import { currentChannel } from './current-channel.ts';

/** Asks whether a queue works. {@link probeQueue} makes it. */
export interface QueueProbe {
  /**
   * Asks the queue, or waits for the answer to an earlier question that is still open. Never rejects.
   *
   * @returns what is wrong; null if the queue has answered, or if it can't be asked: no connection, no queue or no
   *   right
   */
  ask(options?: ProbeOptions): Promise<string | null>;
}

/** How a queue is asked. */
export interface ProbeOptions {
  /** How long the queue may take to answer, in milliseconds. @default 5_000 */
  timeoutMs?: number;
  /**
   * Whether a queue with waiting messages is asked, too. The probe takes a message and requeues it, which some versions
   * count towards the delivery limit. @default false
   */
  evenIfFilled?: boolean;
}

/**
 * Finds out whether a quorum queue still has the majority of its members. A queue without a majority confirms, delivers
 * and acknowledges nothing, and reports no error. A passive declaration does not help, because any node answers it.
 * Only a majority can deliver a message, so the probe asks an empty queue for one.
 *
 * The user needs the right to read the queue. Use a connection for the probe alone: until the queue answers, the broker
 * handles nothing else on the channel. If the broker knows of no leader, it closes the connection.
 *
 * @example
 * ```ts
 * const fault = await probeQueue(connection, 'orders').ask({ timeoutMs: 2_000 });
 * if (fault !== null) console.error(fault);
 * ```
 */
export function probeQueue(connection: Connection, queue: string): QueueProbe {
  const channel = currentChannel(connection);
  let asking: Promise<string | null> | null = null;

  return {
    async ask({ timeoutMs = 5_000, evenIfFilled = false } = {}) {
      if (connection.state !== 'open') return null;
      await channel.opened;
      if (!channel.now) return null;
      asking ??= question(channel.now, queue, evenIfFilled)
        .catch((error: Error & { code?: unknown }) => faultOf(error, connection, queue))
        .finally(() => (asking = null));
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<'late'>((resolve) => (timer = setTimeout(resolve, timeoutMs, 'late')));
      const answer = await Promise.race([asking, late]).finally(() => clearTimeout(timer));
      if (answer !== 'late') return answer;
      if (connection.state !== 'open') return null; // the connection's own state says why
      return `the queue ${queue} does not answer: it seems to have lost the majority of its members`;
    },
  };
}

async function question(channel: ConfirmChannel, queue: string, evenIfFilled: boolean): Promise<null> {
  const { messageCount } = await channel.checkQueue(queue);
  if (messageCount > 0 && !evenIfFilled) return null;
  const message = await channel.get(queue);
  if (message) channel.nack(message, false, true);
  return null;
}

/** RabbitMQ closes the whole connection (541) when it knows of no leader, or the leader's node is down. */
async function faultOf(error: { code?: unknown }, connection: Connection, queue: string): Promise<string | null> {
  if (error.code === 403 || error.code === 404) return null;
  await turn(); // the connection learns the reason after its channels
  const { reason } = connection;
  if (!reason?.includes('INTERNAL') || !reason.includes(`'${queue}'`)) return null;
  return `the queue ${queue} does not answer, and seems to have lost the majority of its members: ${reason}`;
}
