import { setImmediate as turn } from 'node:timers/promises';
import type { ConfirmChannel } from 'amqplib';
import type { Connection } from './connection.ts';
import { currentChannel } from './current-channel.ts';

export interface QueueProbe {
  /**
   * Asks the queue, unless an earlier question is still unanswered: then that one is waited for.
   *
   * @returns what is wrong, or null: it has answered, or can't be asked, since there is no connection, queue or right
   */
  ask(options?: ProbeOptions): Promise<string | null>;
}

export interface ProbeOptions {
  /** How long the queue may take to answer, in milliseconds. @default 5_000 */
  timeoutMs?: number;
  /**
   * Whether a queue in which messages wait is asked, too. It hands one out and gets it back, which some versions count
   * towards its delivery limit. @default false
   */
  evenIfFilled?: boolean;
}

/**
 * Finds out whether a quorum queue works. One that has lost the majority of its members confirms, hands out and
 * acknowledges nothing, without an error: its clients wait until the majority is back. Any node answers a passive
 * declaration, so that tells nothing. Only a majority can hand out a message, so the probe asks an empty queue for one.
 *
 * Needs the right to read the queue, and a connection that nothing else needs: until the queue answers, the broker
 * hears nothing else on the channel, and where it knows of no leader it closes the connection.
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
      if (connection.state !== 'open') return null; // that tells
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
  await turn(); // the connection learns the reason behind its channels
  const { reason } = connection;
  if (!reason?.includes('INTERNAL') || !reason.includes(`'${queue}'`)) return null;
  return `the queue ${queue} does not answer, and seems to have lost the majority of its members: ${reason}`;
}
