/**
 * Limits work that blocks the event loop for milliseconds to one piece in a turn of the loop. So many simultaneous
 * requests for such work delay other requests no longer than a single one does.
 */
export interface OneATurn {
  /** Waits for a turn, in the order of the calls. Resolves at once if the current turn is free. */
  next(): Promise<void>;
  /** Takes the current turn. Call it after work that has blocked the event loop without waiting for a turn. */
  take(): void;
  /** Resolves after all turns that are taken now; null if none is. Another caller may take the next turn first. */
  readonly taken: Promise<void> | null;
}

/** Makes turns for the callers that share this object. */
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

/** Resolves in the next turn. */
async function afterwards(before: Promise<void> | null): Promise<void> {
  if (before) await before;
  await new Promise((resolve) => setImmediate(resolve));
}
