import { setTimer } from '@offload/process';
import type { Prepare } from './handler.ts';

/** Limits how many runs of a handler this process has at once. */
export interface Slots {
  /**
   * Takes a slot, in the order of the calls. Waits until a slot is free and the run is prepared.
   *
   * @param forMs longest wait for a free slot, in milliseconds
   * @param until the wait ends, too, when one of these signals fires
   * @returns null if the wait ended without a slot
   */
  take(forMs: number, until: readonly AbortSignal[]): Promise<Slot | null>;
}

export interface Slot {
  /** Frees the slot. A second call does nothing. */
  release(): void;
}

/** @param prepare prepares one run when it has a place. @default nothing */
export function createSlots(count: number, prepare?: Prepare): Slots {
  let free = count;
  const waiting = new Set<() => void>();

  /** Prepares a run, and makes the slot. */
  async function prepared(): Promise<Slot> {
    const unprepare = await prepare?.().catch(() => undefined); // the run begins unprepared, and fails with the reason
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
