import { setTimer } from '@offload/runtime';

/** How many runs of a handler there may be at once in this process. */
export interface Slots {
  /**
   * Takes one, in the order of the calls; waits for it where none is free.
   *
   * @param forMs for so long at most, in milliseconds
   * @param until ends the waiting, too, as soon as one of them fires
   * @returns null when the waiting ended first
   */
  take(forMs: number, until: readonly AbortSignal[]): Promise<Slot | null>;
}

export interface Slot {
  /** Calling it again changes nothing. */
  release(): void;
}

export function createSlots(count: number): Slots {
  let free = count;
  const waiting = new Set<(slot: Slot) => void>();

  function slot(): Slot {
    let taken = true;
    return {
      release() {
        if (!taken) return;
        taken = false;
        const [next] = waiting;
        if (next) next(slot());
        else free += 1;
      },
    };
  }

  return {
    take(forMs, until) {
      if (until.some(({ aborted }) => aborted)) return Promise.resolve(null);
      if (free > 0) {
        free -= 1;
        return Promise.resolve(slot());
      }
      return new Promise((resolve) => {
        function end(taken: Slot | null): void {
          waiting.delete(end);
          clearTimeout(timer);
          for (const signal of until) signal.removeEventListener('abort', giveUp);
          resolve(taken);
        }
        const giveUp = (): void => end(null);
        const timer = setTimer(giveUp, forMs);
        waiting.add(end);
        for (const signal of until) signal.addEventListener('abort', giveUp);
      });
    },
  };
}
