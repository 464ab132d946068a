/** How items are shared: see {@link batch}. */
export interface BatchOptions<Item = unknown> {
  /** Most items at once. @default 100 */
  maxItems?: number;
  /** Most of their sizes together; a larger item goes alone. @default Infinity */
  maxSize?: number;
  /** How large an item is, in the unit of `maxSize`. @default 0 for each */
  sizeOf?(item: Item): number;
  /** Where nobody waits for the outcome: how long items gather first, in milliseconds. @default 0: not at all */
  gatherMs?: number;
  /** Whether nothing would work now: then all that wait hear of it, instead of trying one after the other. */
  isAway(error: unknown): boolean;
}

interface Waiting<Item, Outcome> {
  item: Item;
  resolve(outcome: Outcome): void;
  reject(error: unknown): void;
}

/**
 * Lets concurrent callers share one statement, or one message: the first call of an idle batch goes out at once, calls that
 * come while it is under way gather and go out together after it. Nobody waits for a timer, unless `gatherMs` says so.
 *
 * When what is shared fails, each item is tried alone, so that a bad one fails by itself; unless nothing would work now
 * (`isAway`).
 *
 * @throws RangeError when `maxItems` is less than 1
 * @param run takes the items and returns one outcome for each, in their order
 */
export function batch<Item, Outcome>(
  run: (items: Item[]) => Promise<Outcome[]>,
  { maxItems = 100, maxSize = Infinity, sizeOf = () => 0, gatherMs = 0, isAway }: BatchOptions<Item>,
): (item: Item) => Promise<Outcome> {
  if (!(maxItems >= 1)) throw new RangeError(`can't share ${maxItems} items`);
  let waiting: Waiting<Item, Outcome>[] = [];
  let busy = false;

  /** @returns why nothing works now, if that is so */
  async function settle(group: Waiting<Item, Outcome>[]): Promise<{ away: unknown } | null> {
    try {
      const outcomes = await run(group.map(({ item }) => item));
      for (const [index, { resolve }] of group.entries()) resolve(outcomes[index] as Outcome);
      return null;
    } catch (error) {
      if (isAway(error)) {
        rejectAll(group, error);
        return { away: error };
      }
      const [one, ...rest] = group;
      if (rest.length > 0) return settleEach(group);
      one?.reject(error);
      return null;
    }
  }

  async function settleEach(group: Waiting<Item, Outcome>[]): Promise<{ away: unknown } | null> {
    for (const [index, one] of group.entries()) {
      const fault = await settle([one]);
      if (!fault) continue;
      rejectAll(group.slice(index + 1), fault.away);
      return fault;
    }
    return null;
  }

  function next(): Waiting<Item, Outcome>[] {
    let [count, size] = [0, 0];
    for (const { item } of waiting) {
      size += sizeOf(item);
      if (count === maxItems || (count > 0 && size > maxSize)) break;
      count += 1;
    }
    if (count < waiting.length) return waiting.splice(0, count);
    const all = waiting;
    waiting = [];
    return all;
  }

  async function drain(): Promise<void> {
    busy = true;
    while (waiting.length > 0) {
      // Calls made in the same turn of the event loop share a statement at least.
      await (gatherMs > 0 && waiting.length < maxItems ? pause(gatherMs) : Promise.resolve());
      const fault = await settle(next());
      // One after the other they would each wait for a timeout of their own.
      if (fault) rejectAll(waiting.splice(0), fault.away);
    }
    busy = false;
  }

  return (item) =>
    new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject });
      if (!busy) void drain();
    });
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function rejectAll(group: { reject(error: unknown): void }[], error: unknown): void {
  for (const { reject } of group) reject(error);
}
