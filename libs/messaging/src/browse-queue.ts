import { setTimeout as delay } from 'node:timers/promises';
import type { ConfirmChannel, ConsumeMessage } from 'amqplib';
import { z } from 'zod';
import type { Connection } from './connection.ts';
import { BrokerUnavailableError } from './errors.ts';
import { parseOptions } from './options.ts';

/** A message as it lies in a queue: `content`, `properties` and `fields`, as amqplib gives them. */
export type BrowsedMessage = ConsumeMessage;

export interface BrowseOptions {
  queue: string;
  /** Most messages to look at. @default all that wait when it begins */
  limit?: number;
  /**
   * Called with one message after the other, oldest first; `'remove'` takes it out of the queue, once and for all. What it
   * throws ends the browsing.
   */
  visit(message: BrowsedMessage): Promise<'keep' | 'remove'> | 'keep' | 'remove';
}

const browseOptions = z.object({ limit: z.int().min(1).optional() });

/** With nothing more coming for so long, the rest is with others who look at the queue now. */
const QUIET_MS = 2_000;

/** Above this a channel can't count; it counts nothing then. */
const MAX_PREFETCH = 65_535;

/**
 * Shows what waits in a queue without consuming it, on a channel of its own: when that is closed, at the end or because
 * this process dies, all that was not removed is back in the queue, in its order. Meanwhile nobody else sees it, and it is
 * held in memory. Waits while the connection is not open.
 *
 * It consumes, since a quorum queue gives back the messages of one consumer in their order, but those that were got with
 * `basic.get`, or are refused with `basic.nack`, in any (seen in 3.10). When the broker restarts, what was looked at may
 * still change places. Each look counts towards the queue's delivery limit.
 *
 * @returns how many were looked at, with what was removed gone for good; null when there is no such queue
 * @throws BrokerUnavailableError when the channel is lost meanwhile: of what was to be removed some may be back
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

/** @returns also a promise that is kept when the channel is closed, whoever closes it */
async function openChannel(connection: Connection, until: AbortSignal) {
  let opened: { channel: ConfirmChannel; closed: Promise<null> } | undefined;
  await connection.keepChannel(async (channel) => {
    // One that is opened in its place, should it be lost, is nothing to us: its messages are back by then.
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
  if (total === 0) return 0; // to RabbitMQ a prefetch of 0 has no bounds
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
      throw lost(error); // closed while it was visited
    }
    removed += 1;
  }
  // The broker takes what a channel is told in order: when it answers this, it has heard of all that was removed.
  if (removed > 0) {
    await channel.checkQueue(queue).catch((error: unknown) => {
      throw lost(error);
    });
  }
  return visited;
}

/** The messages in turn: null when no more come, `'lost'` when they can't. */
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
