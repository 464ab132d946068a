/**
 * Lets what holds the event loop for milliseconds happen once in a turn of the loop. So a crowd that wants the same at
 * once keeps others waiting for no longer than a single one does.
 */
export interface OneATurn {
  /** Waits for a turn of one's own, in the order of the calls: at once, where none is taken. */
  next(): Promise<void>;
  /** Takes what is left of this turn. For those who learn only afterwards that they held the loop. */
  take(): void;
  /** Resolves once the turns are over that are taken by now; null where none is. Whoever comes first may take the next. */
  readonly taken: Promise<void> | null;
}

/** @returns turns that the callers of this object share, and no others */
export function createOneATurn(): OneATurn {
  let taken: Promise<void> | null = null;

  function take(): void {
    const over = afterwards(taken).then(() => {
      if (taken === over) taken = null;
    });
    taken = over;
  }

  return {
    async next() {
      const before = taken;
      take();
      await before;
    },
    take,
    get taken() {
      return taken;
    },
  };
}

/** Resolves in the turn that follows. */
async function afterwards(before: Promise<void> | null): Promise<void> {
  if (before) await before;
  await new Promise((resolve) => setImmediate(resolve));
}
