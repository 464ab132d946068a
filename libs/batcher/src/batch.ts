/** How items share a call: see {@link batch}. */
export interface BatchOptions<Item = unknown> {
  /** Most items of one call. @default 100 */
  maxItems?: number;
  /** Largest sum of the sizes of one call. A single larger item goes out alone. @default Infinity */
  maxSize?: number;
  /** The size of an item, in the unit of `maxSize`. @default 0 for each */
  sizeOf?(item: Item): number;
  /** How long items gather before a call, in milliseconds. Use it where no caller waits for the outcome. @default 0 */
  gatherMs?: number;
  /** After this time, in milliseconds, a running call is slow and the next one starts beside it. @default Infinity */
  slowMs?: number;
  /** Whether the error means that no call would work now. If so, all waiting callers get this error at once. */
  isAway(error: unknown): boolean;
  /**
   * Whether the call only waited too long, for a lock for example. If other calls worked meanwhile, its items are tried
   * alone. @default never
   */
  isHeldUp?(error: unknown): boolean;
}

/**
 * Most shared calls at once, when all but the latest are slow. The same number may run for items that are tried alone.
 */
const MOST_AT_ONCE = 3;

interface Waiting<Item, Outcome> {
  item: Item;
  resolve(outcome: Outcome): void;
  reject(error: unknown): void;
}

interface Line<Item, Outcome> {
  add(one: Waiting<Item, Outcome>): void;
  /** Puts items before those that wait. */
  putBack(some: Waiting<Item, Outcome>[]): void;
}

/**
 * Lets concurrent callers share one SQL statement, message or other call. The first item of an idle batch goes out at
 * once. Items that come while a call runs gather, and go out together after it. No item waits for a timer unless
 * `gatherMs` is set. If a call is slow (`slowMs`), the next starts beside it.
 *
 * If a shared call fails, each item is tried alone, so a bad item rejects only its own caller. If `isAway` says that no
 * call works, all waiting callers reject with the error. An item that was held up goes out alone when it is sent again.
 *
 * @param run takes the items and returns one outcome for each, in their order. It may return fewer outcomes, at least
 *   one: the remaining items go out first in the next call
 * @returns a function that resolves with the outcome of one item
 * @throws RangeError when `maxItems` is less than 1
 * @example
 * ```ts
 * const priceOf = batch(readPrices, { maxItems: 50, isAway: (error) => error instanceof TypeError });
 * const [tea, coffee] = await Promise.all([priceOf('tea'), priceOf('coffee')]); // one call of readPrices
 * ```
 */
export function batch<Item, Outcome>(
  run: (items: Item[]) => Promise<Outcome[]>,
  {
    maxItems: most = 100,
    maxSize = Infinity,
    sizeOf = () => 0,
    gatherMs = 0,
    slowMs = Infinity,
    isAway,
    isHeldUp = () => false,
  }: BatchOptions<Item>,
): (item: Item) => Promise<Outcome> {
  if (!(most >= 1)) throw new RangeError(`maxItems must be at least 1, not ${most}`);
  /** How many calls have worked. */
  let worked = 0;
  /** Items that were held up. It is weak, so an item that its caller drops does not stay in memory. */
  let heldUp: WeakSet<object> | undefined;
  const shared = createLine(most);
  const alone = createLine(1);

  /** @returns the error that means that no call works now, or null */
  async function settle(group: Waiting<Item, Outcome>[]): Promise<{ away: unknown } | null> {
    const workedBefore = worked;
    try {
      const outcomes = await run(group.map(({ item }) => item));
      worked += 1;
      for (const [index, outcome] of outcomes.entries()) group[index]?.resolve(outcome);
      if (outcomes.length < group.length) shared.putBack(group.slice(outcomes.length));
      return null;
    } catch (error) {
      if (isHeldUp(error)) {
        const othersWork = worked > workedBefore;
        heldUp ??= new WeakSet();
        for (const { item } of group) if (typeof item === 'object' && item) heldUp.add(item);
        if (othersWork && group.length > 1) for (const one of group) alone.add(one);
        else rejectAll(group, error);
        return null; // other items may still work
      }
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

  /** Sends its items: one call after the other, or beside slow calls. */
  function createLine(maxItems: number): Line<Item, Outcome> {
    let waiting: Waiting<Item, Outcome>[] = [];
    let busy = false;
    let underWay = 0;
    /** The number of the current drain. An earlier drain ends after its slow call. */
    let latest = 0;
    let timer: NodeJS.Timeout | undefined;

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
      const me = (latest += 1);
      busy = true;
      underWay += 1;
      while (waiting.length > 0 && me === latest) {
        // Items of the same turn of the event loop share a call.
        await (gatherMs > 0 && waiting.length < maxItems ? pause(gatherMs) : Promise.resolve());
        if (me !== latest) break; // a newer drain has started meanwhile
        if (slowMs < Infinity) timer = timer?.refresh() ?? setTimeout(overtake, slowMs).unref();
        const fault = await settle(next());
        // One after the other, each of them would wait for its own timeout.
        if (fault) rejectAll(waiting.splice(0), fault.away);
      }
      underWay -= 1;
      if (me === latest) busy = false;
    }

    /** Each call restarts the timer, so it fires when the latest call is slow, or when none runs. */
    function overtake(): void {
      if (!busy) return;
      if (underWay === MOST_AT_ONCE) return void timer?.refresh();
      latest += 1;
      busy = false;
      if (waiting.length > 0) void drain();
    }

    return {
      add(one) {
        waiting.push(one);
        if (!busy) void drain();
      },
      putBack(some) {
        waiting.unshift(...some);
        if (!busy) void drain();
      },
    };
  }

  return (item) =>
    new Promise((resolve, reject) => {
      const line = heldUp?.has(item as object) ? alone : shared;
      line.add({ item, resolve, reject });
    });
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function rejectAll(group: { reject(error: unknown): void }[], error: unknown): void {
  for (const { reject } of group) reject(error);
}
