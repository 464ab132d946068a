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
  /** How long a statement may take before the next goes out beside it, in milliseconds. @default Infinity */
  slowMs?: number;
  /** Whether nothing would work now: then all that wait hear of it, instead of trying one after the other. */
  isAway(error: unknown): boolean;
  /**
   * Whether a statement did nothing but wait too long, for a lock, say. If others worked meanwhile, its items are tried
   * alone instead of being told that nothing works. @default never
   */
  isHeldUp?(error: unknown): boolean;
}

/** Most shared statements at once, when all but the last are slow; as many go out for items that are tried alone. */
const MOST_AT_ONCE = 3;

interface Waiting<Item, Outcome> {
  item: Item;
  resolve(outcome: Outcome): void;
  reject(error: unknown): void;
}

interface Line<Item, Outcome> {
  add(one: Waiting<Item, Outcome>): void;
  /** Before those that wait. */
  putBack(some: Waiting<Item, Outcome>[]): void;
}

/**
 * Lets concurrent callers share one statement, or one message: the first call of an idle batch goes out at once, calls that
 * come while it is under way gather and go out together after it. Nobody waits for a timer, unless `gatherMs` says so. A
 * statement that is slow (`slowMs`) may wait for what others do not need: the next goes out beside it.
 *
 * When what is shared fails, each item is tried alone, so that a bad one fails by itself; unless nothing would work now
 * (`isAway`). An item that was held up and is sent again goes alone, too.
 *
 * @throws RangeError when `maxItems` is less than 1
 * @param run takes the items and returns one outcome for each, in their order. It may end after any but none of them: the
 *   rest go out next, before what has come since
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
  if (!(most >= 1)) throw new RangeError(`can't share ${most} items`);
  /** How many statements have worked. */
  let worked = 0;
  /** Objects that were held up; those of a caller who has given up are forgotten. */
  let heldUp: WeakSet<object> | undefined;
  const shared = createLine(most);
  const alone = createLine(1);

  /** @returns why nothing works now, if that is so */
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
        return null; // whether the others would be held up, too, is not known
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

  /** Sends what is put into it: one statement after the other, or beside those that are slow. */
  function createLine(maxItems: number): Line<Item, Outcome> {
    let waiting: Waiting<Item, Outcome>[] = [];
    let busy = false;
    let underWay = 0;
    /** The drain that goes on; those before it end with the statement that made them slow. */
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
        // Calls made in the same turn of the event loop share a statement at least.
        await (gatherMs > 0 && waiting.length < maxItems ? pause(gatherMs) : Promise.resolve());
        if (me !== latest) break; // overtaken while it gathered
        if (slowMs < Infinity) timer = timer?.refresh() ?? setTimeout(overtake, slowMs).unref();
        const fault = await settle(next());
        // One after the other they would each wait for a timeout of their own.
        if (fault) rejectAll(waiting.splice(0), fault.away);
      }
      underWay -= 1;
      if (me === latest) busy = false;
    }

    /** The timer is started again by each statement: it fires when the latest is slow, or when there is none. */
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
