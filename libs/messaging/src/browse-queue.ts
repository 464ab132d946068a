import { setTimeout as delay } from 'node:timers/promises';
import type { ConfirmChannel, ConsumeMessage } from 'amqplib';
import { z } from 'zod';
import type { Connection } from './connection.ts';
import { BrokerUnavailableError } from './errors.ts';
import { parseOptions } from './options.ts';

/** A message in a queue: `content`, `properties` and `fields`, as amqplib gives them. */
export type BrowsedMessage = ConsumeMessage;

/** What {@link browseQueue} looks at. */
export interface BrowseOptions {
  /** Name of the queue. */
  queue: string;
  /** Most messages to look at. @default all that wait when browsing begins */
  limit?: number;
  /**
   * Is called with one message after the other, oldest first. `'remove'` deletes the message from the queue for good.
   * If `visit` throws or rejects, the browsing ends with that error.
   */
  visit(message: BrowsedMessage): Promise<'keep' | 'remove'> | 'keep' | 'remove';
}

const browseOptions = z.object({ limit: z.int().min(1).optional() });

/** If no message arrives for this time, other consumers hold the rest. */
const QUIET_MS = 2_000;

/** A channel's prefetch can't be larger. 0 means no limit, so a larger number becomes 0. */
const MAX_PREFETCH = 65_535;

/**
 * Shows the messages of a queue and puts them back in their order. It opens its own channel; when that channel closes,
 * also because this process dies, RabbitMQ requeues every message that was not removed. Until then the messages are in
 * this process's memory, and no other consumer gets them. The call waits while the connection is not open.
 *
 * It uses `basic.consume`, because a quorum queue (seen in 3.10) requeues the messages of one consumer in their order.
 * After `basic.get` or `basic.nack` the order may change. It may also change if the broker restarts meanwhile. Each
 * look counts towards the queue's delivery limit.
 *
 * @returns how many messages it looked at, after the broker has deleted the removed ones; null if there is no such
 *   queue
 * @throws BrokerUnavailableError when the channel is lost meanwhile: some removed messages may be in the queue again
 * @example
 * ```ts
 * const seen = await browseQueue(connection, {
 *   queue: 'jobs.dead',
 *   limit: 10,
 *   visit({ properties }) {
 *     console.log(properties.messageId);
 *     return 'keep';
 *   },
 * });
 * ```
 */
export async function browseQueue(connection: Connection, options: BrowseOptions): Promise<number | null> {
  const { limit = Infinity } = parseOptions(browseOptions, options);
  const over = new AbortController();
  const { channel, closed } = await openChannel(connection, over.signal);
  try {
    return await browse(channel, { ...options, limit }, closed);
  } finally {
    over.abort();
    await closed;
  }
}

/** @returns the channel, and a promise that resolves when it is closed, by this process or by the broker */
async function openChannel(connection: Connection, until: AbortSignal) {
  let opened: { channel: ConfirmChannel; closed: Promise<null> } | undefined;
  await connection.keepChannel(async (channel) => {
    // A channel that replaces a lost one is not used: the messages are back in the queue by then.
    opened ??= { channel, closed: new Promise((resolve) => channel.once('close', () => resolve(null))) };
  }, until);
  if (!opened) throw new BrokerUnavailableError('the connection is closed');
  return opened;
}

async function browse(
  channel: ConfirmChannel,
  { queue, limit, visit }: Required<BrowseOptions>,
  closed: Promise<null>,
): Promise<number | null> {
  const lost = (cause: unknown): BrokerUnavailableError => {
    const because = cause instanceof Error ? `: ${cause.message}` : '';
    return new BrokerUnavailableError(`the channel was lost while ${queue} was browsed${because}`, { cause });
  };
  const waiting = await channel.checkQueue(queue).catch((error: { code?: unknown }) => {
    if (error.code === 404) return null;
    throw lost(error);
  });
  if (!waiting) return null;
  const total = Math.min(waiting.messageCount, limit);
  if (total === 0) return 0; // for RabbitMQ, a prefetch of 0 means no limit
  const arrivals = await arrivalsOf(channel, queue, total, closed).catch((error: unknown) => {
    throw lost(error);
  });

  let visited = 0;
  let removed = 0;
  for (; visited < total; visited += 1) {
    const message = await arrivals.next();
    if (message === 'lost') throw lost(undefined);
    if (!message) break;
    if ((await visit(message)) === 'keep') continue;
    try {
      channel.ack(message);
    } catch (error) {
      throw lost(error); // the channel closed during the visit
    }
    removed += 1;
  }
  // The broker handles the commands of a channel in order: its answer shows that it has read every acknowledgement
  // before.
  if (removed > 0) {
    await channel.checkQueue(queue).catch((error: unknown) => {
      throw lost(error);
    });
  }
  return visited;
}

/** Gives the messages in turn: null when no more come, `'lost'` when the channel is lost. */
async function arrivalsOf(channel: ConfirmChannel, queue: string, total: number, closed: Promise<null>) {
  const here: ConsumeMessage[] = [];
  let lost = false;
  let wake = (): void => undefined;
  const end = (): void => {
    lost = true;
    wake();
  };
  void closed.then(end);
  await channel.prefetch(total > MAX_PREFETCH ? 0 : total);
  await channel.consume(queue, (message) => {
    if (!message) return end(); // the queue was deleted
    here.push(message);
    wake();
  });
  return {
    async next(): Promise<ConsumeMessage | 'lost' | null> {
      if (here.length === 0 && !lost) {
        const quiet = new AbortController();
        const arrived = new Promise<void>((resolve) => (wake = resolve));
        await Promise.race([arrived, delay(QUIET_MS, undefined, { signal: quiet.signal }).catch(() => undefined)]);
        quiet.abort();
      }
      return lost ? 'lost' : (here.shift() ?? null);
    },
  };
}
