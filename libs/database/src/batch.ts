import { DatabaseUnavailableError } from './unavailable.ts';

interface Waiting<Item, Outcome> {
  item: Item;
  resolve(outcome: Outcome): void;
  reject(error: unknown): void;
}

/**
 * Lets concurrent callers share one statement: the first call of an idle batch goes out at once, calls that come while
 * it is under way gather and go out together after it. Nobody waits for a timer.
 *
 * When a shared statement fails for another reason than the database being away, each item is tried alone, so that a
 * bad one fails by itself.
 *
 * @param run takes the items and returns one outcome for each, in their order
 * @param maxItems most items in one statement
 */
export function batch<Item, Outcome>(
  run: (items: Item[]) => Promise<Outcome[]>,
  maxItems = 100,
): (item: Item) => Promise<Outcome> {
  const waiting: Waiting<Item, Outcome>[] = [];
  let busy = false;

  async function settle(group: Waiting<Item, Outcome>[]): Promise<void> {
    try {
      const outcomes = await run(group.map(({ item }) => item));
      group.forEach(({ resolve }, index) => resolve(outcomes[index] as Outcome));
    } catch (error) {
      if (group.length === 1 || error instanceof DatabaseUnavailableError) {
        group.forEach(({ reject }) => reject(error));
      } else {
        for (const one of group) await settle([one]);
      }
    }
  }

  async function drain(): Promise<void> {
    busy = true;
    // Calls made in the same turn of the event loop share the first statement too.
    await Promise.resolve();
    while (waiting.length > 0) await settle(waiting.splice(0, maxItems));
    busy = false;
  }

  return (item) =>
    new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject });
      if (!busy) void drain();
    });
}
