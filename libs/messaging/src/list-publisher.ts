import { batch } from '@offload/batcher';
import { z } from 'zod';
import { BrokerUnavailableError, PublishRefusedError } from './errors.ts';
import { RawJson, type JsonMessage } from './message.ts';
import { parseOptions } from './options.ts';
import type { PublishOptions } from './publish-options.ts';
import type { Publisher } from './publisher.ts';

/** A kind of message whose body is a list of items. */
export type ListMessage<Item extends z.ZodType = z.ZodType> = JsonMessage<z.ZodArray<Item>>;

/** Where a list publisher sends its messages, and its bounds. */
export interface ListPublisherOptions {
  /** The exchange of all messages. */
  exchange: string;
  /** Whether the broker refuses a message that no queue is bound for. @default true */
  mandatory?: boolean;
  /** Most items under way at once, and so the most items of one message. @default 1_000 */
  maxItems?: number;
  /** Most characters of JSON in one message. A single longer item still goes out, alone. @default 262_144 */
  maxLength?: number;
  /**
   * Most items that are not confirmed yet. A further item is rejected at once, so memory stays bounded. @default 10_000
   */
  maxPending?: number;
  /** Most characters of JSON that are not confirmed yet. A single longer item still goes out. @default 67_108_864 */
  maxPendingLength?: number;
}

const listPublisherOptions = z.object({
  exchange: z.string(),
  mandatory: z.boolean().default(true),
  maxItems: z.int().min(1).default(1_000),
  maxLength: z
    .int()
    .min(1)
    .default(256 * 1024),
  maxPending: z.int().min(1).default(10_000),
  maxPendingLength: z
    .int()
    .min(1)
    .default(64 * 1024 * 1024),
});

/**
 * Publishes items that share messages. Items that come while messages are under way gather and go out together next.
 */
export interface ListPublisher<Item> {
  /**
   * Publishes one item. Items of one routing key share messages. An item never overtakes an earlier item with the same
   * correlation id. An item that is alone in its message gives the message its correlation id.
   *
   * Resolves when the broker has confirmed the item's message, and rejects as `Publisher.publish` does. If the broker
   * refuses a message of several items, each item is sent once more in its own message. An item beyond the bounds
   * rejects with `BrokerUnavailableError`, an item that is no JSON with `TypeError`.
   */
  publish(
    item: Item | RawJson,
    to: Required<Pick<PublishOptions, 'correlationId'>> & { routingKey: string },
  ): Promise<void>;
}

interface Written {
  json: string;
  routingKey: string;
  correlationId: string;
  /** What became of the item's message; null until that is known. */
  outcome: Outcome | null;
}

/** Items that share a message, and the length of their JSON array. */
interface List {
  items: Written[];
  length: number;
}

/** What became of an item's message. */
type Outcome = { sent: true } | { sent: false; error: Error; alone: boolean };

/**
 * Makes a publisher of lists on top of a publisher.
 *
 * @throws TypeError when an option is wrong
 * @example
 * ```ts
 * const events = createListPublisher(publisher, jobEvents, { exchange: 'jobs.events', mandatory: false });
 * await events.publish(event, { routingKey: 'job.succeeded', correlationId: event.subject });
 * ```
 */
export function createListPublisher<Item extends z.ZodType>(
  publisher: Pick<Publisher, 'publish'>,
  kind: ListMessage<Item>,
  options: ListPublisherOptions,
): ListPublisher<z.input<Item>> {
  const { exchange, mandatory, maxItems, maxLength, ...bounds } = parseOptions(listPublisherOptions, options);
  let pending = 0;
  let pendingLength = 0;

  async function send(items: readonly Written[]): Promise<void> {
    const [first, ...more] = items as [Written, ...Written[]];
    const body = new RawJson(`[${items.map(({ json }) => json).join(',')}]`);
    const about = more.length === 0 ? { correlationId: first.correlationId } : {};
    await publisher.publish(kind, body, { exchange, routingKey: first.routingKey, mandatory, ...about });
  }

  /** Each list is its own message, so the failure of one list rejects only the callers of its items. */
  const sendTogether = batch(
    async (items: Written[]): Promise<Outcome[]> => {
      await Promise.all(
        listsOf(items, maxLength).map(async (list) => {
          const outcome = await send(list.items).then(
            (): Outcome => ({ sent: true }),
            (error: Error): Outcome => ({ sent: false, error, alone: list.items.length === 1 }),
          );
          for (const item of list.items) item.outcome = outcome;
        }),
      );
      return items.map(({ outcome }) => outcome as Outcome);
    },
    { maxItems, isAway: () => false },
  );

  return {
    async publish(item, { routingKey, correlationId }) {
      const json = item instanceof RawJson ? item.json : (JSON.stringify(item) as string | undefined);
      if (json === undefined) throw new TypeError(`an item of ${kind.type} can't be written as JSON`);
      const tooLong = pending > 0 && pendingLength + json.length > bounds.maxPendingLength;
      if (pending >= bounds.maxPending || tooLong) {
        throw new BrokerUnavailableError(`${pending} items of ${pendingLength} characters are not yet confirmed`);
      }
      pending += 1;
      pendingLength += json.length;
      try {
        const written: Written = { json, routingKey, correlationId, outcome: null };
        const outcome = await sendTogether(written);
        if (outcome.sent) return;
        if (outcome.alone || !(outcome.error instanceof PublishRefusedError)) throw outcome.error;
        await send([written]);
      } finally {
        pending -= 1;
        pendingLength -= json.length;
      }
    },
  };
}

/** Puts the items into as few lists as possible. The lists are in the order in which they are sent. */
function listsOf(items: readonly Written[], maxLength: number): List[] {
  const lists: List[] = [];
  /** By routing key: the list that has room left. */
  const open = new Map<string, List>();
  const told = new Set<string>();
  for (const item of items) {
    const { json, routingKey, correlationId } = item;
    // A later item about the same thing must not join a list that goes out earlier.
    if (told.has(correlationId)) {
      open.clear();
      told.clear();
    }
    told.add(correlationId);
    const list = open.get(routingKey);
    if (list && list.length + 1 + json.length <= maxLength) {
      list.items.push(item);
      list.length += 1 + json.length;
    } else {
      const first = { items: [item], length: '[]'.length + json.length };
      open.set(routingKey, first);
      lists.push(first);
    }
  }
  return lists;
}
