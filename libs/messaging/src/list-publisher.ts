import { batch } from '@offload/batcher';
import { z } from 'zod';
import { BrokerUnavailableError } from './errors.ts';
import { parseOptions } from './options.ts';
import { Printed, type JsonMessage } from './message.ts';
import type { Publisher, PublishOptions } from './publisher.ts';

/** One kind of message that carries a list. */
export type ListMessage<Item extends z.ZodType = z.ZodType> = JsonMessage<z.ZodArray<Item>>;

export interface ListPublisherOptions {
  exchange: string;
  /** Whether a message that no queue is bound for is refused. @default true */
  mandatory?: boolean;
  /** Most items in a message. @default 200 */
  maxItems?: number;
  /** Most characters of JSON in a message; one item alone may be larger. @default 262_144 */
  maxLength?: number;
}

/** Publishes items that share messages with others: what is asked for while messages are under way goes together after them. */
export interface ListPublisher<Item> {
  /**
   * Items of one routing key share messages, and none overtakes an earlier one with the same correlation id. An item that is
   * alone in its message gives it its correlation id.
   *
   * Resolves when the broker has confirmed the item's message, and rejects as `Publisher.publish` does.
   */
  publish(item: Item, to: Required<Pick<PublishOptions, 'correlationId'>> & { routingKey: string }): Promise<void>;
}

const listPublisherOptions = z.object({
  exchange: z.string(),
  mandatory: z.boolean().default(true),
  maxItems: z.int().min(1).default(200),
  maxLength: z
    .int()
    .min(1)
    .default(256 * 1024),
});

interface Written {
  json: string;
  routingKey: string;
  correlationId: string;
}

/** The items of one message. */
interface Letter {
  routingKey: string;
  items: Written[];
  length: number;
}

/**
 * Publishes lists through a publisher, which bounds what is pending.
 *
 * @throws TypeError when an option is wrong
 */
export function createListPublisher<Item extends z.ZodType>(
  publisher: Pick<Publisher, 'publish'>,
  kind: ListMessage<Item>,
  options: ListPublisherOptions,
): ListPublisher<z.input<Item>> {
  const { exchange, mandatory, maxItems, maxLength } = parseOptions(listPublisherOptions, options);

  async function send({ routingKey, items }: Letter): Promise<void> {
    const [only, ...more] = items as [Written, ...Written[]];
    const body = new Printed(`[${items.map(({ json }) => json).join(',')}]`);
    const about = more.length === 0 ? { correlationId: only.correlationId } : {};
    await publisher.publish(kind, body, { exchange, routingKey, mandatory, ...about });
  }

  const sendTogether = batch(
    async (items: Written[]) => {
      await Promise.all(sorted(items, maxLength).map(send));
      return items.map(() => undefined);
    },
    { maxItems, isAway: (error) => error instanceof BrokerUnavailableError },
  );

  return {
    async publish(item, { routingKey, correlationId }) {
      const json = JSON.stringify(item) as string | undefined;
      if (json === undefined) throw new TypeError(`an item of ${kind.type} can't be written as JSON`);
      await sendTogether({ json, routingKey, correlationId });
    },
  };
}

/** Into as few letters as may be, in the order in which they are to be sent. */
function sorted(items: Written[], maxLength: number): Letter[] {
  const letters: Letter[] = [];
  /** By routing key: those that still take more. */
  const open = new Map<string, Letter>();
  const told = new Set<string>();
  for (const item of items) {
    const { json, routingKey, correlationId } = item;
    // What comes later about the same must not be put into a letter that is sent before.
    if (told.has(correlationId)) {
      open.clear();
      told.clear();
    }
    told.add(correlationId);
    const letter = open.get(routingKey);
    if (letter && letter.length + json.length <= maxLength) {
      letter.items.push(item);
      letter.length += json.length;
    } else {
      const first = { routingKey, items: [item], length: json.length };
      open.set(routingKey, first);
      letters.push(first);
    }
  }
  return letters;
}
