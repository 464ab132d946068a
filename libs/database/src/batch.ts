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
 * bad one fails by itself. When the database is away, all that wait hear of it at once.
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

  /** @returns that the database is away, if it is */
  async function settle(group: Waiting<Item, Outcome>[]): Promise<DatabaseUnavailableError | null> {
    try {
      const outcomes = await run(group.map(({ item }) => item));
      group.forEach(({ resolve }, index) => resolve(outcomes[index] as Outcome));
      return null;
    } catch (error) {
      if (error instanceof DatabaseUnavailableError) {
        rejectAll(group, error);
        return error;
      }
      const [one, ...rest] = group;
      if (rest.length > 0) return settleEach(group);
      one?.reject(error);
      return null;
    }
  }

  async function settleEach(group: Waiting<Item, Outcome>[]): Promise<DatabaseUnavailableError | null> {
    for (const [index, one] of group.entries()) {
      const away = await settle([one]);
      if (!away) continue;
      rejectAll(group.slice(index + 1), away);
      return away;
    }
    return null;
  }

  async function drain(): Promise<void> {
    busy = true;
    // Calls made in the same turn of the event loop share the first statement too.
    await Promise.resolve();
    while (waiting.length > 0) {
      const away = await settle(waiting.splice(0, maxItems));
      // One after the other they would each wait for a timeout of their own.
      if (away) rejectAll(waiting.splice(0), away);
    }
    busy = false;
  }

  return (item) =>
    new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject });
      if (!busy) void drain();
    });
}

function rejectAll(group: { reject(error: unknown): void }[], error: Error): void {
  for (const { reject } of group) reject(error);
}
