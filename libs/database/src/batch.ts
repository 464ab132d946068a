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

  /** @returns whether the database is there */
  async function settle(group: Waiting<Item, Outcome>[]): Promise<boolean> {
    try {
      const outcomes = await run(group.map(({ item }) => item));
      group.forEach(({ resolve }, index) => resolve(outcomes[index] as Outcome));
      return true;
    } catch (error) {
      const away = error instanceof DatabaseUnavailableError;
      if (group.length === 1 || away) group.forEach(({ reject }) => reject(error));
      else await settleEach(group);
      return !away;
    }
  }

  async function settleEach(group: Waiting<Item, Outcome>[]): Promise<void> {
    let [one, ...rest] = group;
    while (one && (await settle([one]))) [one, ...rest] = rest;
    if (rest.length > 0) await settle(rest); // the database is away: alone, each would wait for its own timeout
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
