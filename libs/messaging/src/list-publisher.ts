import { batch } from '@offload/batcher';
import { z } from 'zod';
import { BrokerUnavailableError, PublishRefusedError } from './errors.ts';
import { RawJson, type JsonMessage } from './message.ts';
import { parseOptions } from './options.ts';
import type { Publisher, PublishOptions } from './publisher.ts';

/** One kind of message that carries a list. */
export type ListMessage<Item extends z.ZodType = z.ZodType> = JsonMessage<z.ZodArray<Item>>;

export interface ListPublisherOptions {
  /** Where all of them go. */
  exchange: string;
  /** Whether a message that no queue is bound for is refused. @default true */
  mandatory?: boolean;
  /** Most items under way at once, and so in a message; messages, where they can share none. @default 1_000 */
  maxItems?: number;
  /** Most characters of JSON in a message; one item alone may be larger. @default 262_144 */
  maxLength?: number;
  /** More items than this that are not yet confirmed are rejected at once: memory stays bounded. @default 10_000 */
  maxPending?: number;
  /** The same for the characters of their JSON; one alone may have more. @default 67_108_864 */
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

/** Publishes items that share messages with others: what is asked for while messages are under way goes together after them. */
export interface ListPublisher<Item> {
  /**
   * Items of one routing key share messages, and none overtakes an earlier one with the same correlation id. An item that is
   * alone in its message gives it its correlation id.
   *
   * Resolves when the broker has confirmed the item's message, and rejects as `Publisher.publish` does, which is asked only
   * when earlier messages are done with. Items of a message that was refused are sent once more, each by itself.
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
  /** Once its message is done with. */
  outcome: Outcome | null;
}

/** Items that go together, and how long they are as a JSON array. */
interface List {
  items: Written[];
  length: number;
}

/** What became of an item's message. */
type Outcome = { sent: true } | { sent: false; error: Error; alone: boolean };

/** @throws TypeError when an option is wrong */
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

  /** Each list is a message of its own: what becomes of one is no matter of the others. */
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

/** Into as few lists as may be, in the order in which they are to be sent. */
function listsOf(items: readonly Written[], maxLength: number): List[] {
  const lists: List[] = [];
  /** By routing key: those that still take more. */
  const open = new Map<string, List>();
  const told = new Set<string>();
  for (const item of items) {
    const { json, routingKey, correlationId } = item;
    // What comes later about the same must not be put into a list that is sent before.
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
