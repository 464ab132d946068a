import { setTimer } from '@offload/process';
import type { Prepare } from './handler.ts';

/** How many runs of a handler there may be at once in this process. */
export interface Slots {
  /**
   * Takes one, in the order of the calls; waits for it where none is free, and until what its run needs is ready.
   *
   * @param forMs how long to wait for a free one at most, in milliseconds
   * @param until ends the waiting, too, as soon as one of them fires
   * @returns null when the waiting ended first
   */
  take(forMs: number, until: readonly AbortSignal[]): Promise<Slot | null>;
}

export interface Slot {
  /** Calling it again changes nothing. */
  release(): void;
}

/** @param prepare makes ready what one run needs, once it has a place. @default nothing */
export function createSlots(count: number, prepare?: Prepare): Slots {
  let free = count;
  const waiting = new Set<() => void>();

  /** Makes a slot of a place. */
  async function prepared(): Promise<Slot> {
    const unprepare = await prepare?.().catch(() => undefined); // the run begins without it, and tells why it fails
    let taken = true;
    return {
      release() {
        if (!taken) return;
        taken = false;
        unprepare?.();
        const [next] = waiting;
        if (next) next();
        else free += 1;
      },
    };
  }

  return {
    take(forMs, until) {
      if (until.some(({ aborted }) => aborted)) return Promise.resolve(null);
      return new Promise((resolve) => {
        let isOver = false;
        function end(taken: Slot | null): void {
          isOver = true;
          waiting.delete(begin);
          clearTimeout(timer);
          for (const signal of until) signal.removeEventListener('abort', giveUp);
          resolve(taken);
        }
        const giveUp = (): void => end(null);
        const timer = setTimer(giveUp, forMs);
        /** Has a place: another worker could not begin sooner, so only the signals end the waiting from here on. */
        function begin(): void {
          waiting.delete(begin);
          clearTimeout(timer);
          void prepared().then((slot) => (isOver ? slot.release() : end(slot)));
        }
        for (const signal of until) signal.addEventListener('abort', giveUp);
        if (free > 0) {
          free -= 1;
          begin();
        } else waiting.add(begin);
      });
    },
  };
}
