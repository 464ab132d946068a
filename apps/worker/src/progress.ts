import type { JobProgress } from '@offload/contracts';
import { storable } from './storable.ts';

/** Turns a handler's progress calls into writes, one at a time: what comes during a write replaces what waits. */
export interface ProgressReporter {
  progress(percent: number, message?: string): void;
  /** Takes no more calls and resolves when the last one is written. */
  stop(): Promise<void>;
}

/** @param write must not reject */
export function reportProgressTo(write: (progress: JobProgress) => Promise<void>): ProgressReporter {
  let waiting: JobProgress | null = null;
  let writing: Promise<void> | null = null;
  let stopped = false;

  async function drain(): Promise<void> {
    while (waiting) {
      const next: JobProgress = waiting;
      waiting = null;
      await write(next);
    }
    writing = null;
  }

  return {
    progress(percent, message) {
      if (stopped) return;
      const inRange = Math.min(100, Math.max(0, Number.isFinite(percent) ? percent : 0));
      waiting = { percent: inRange, message: message === undefined ? null : storable(String(message), 500) };
      writing ??= drain();
    },
    async stop() {
      stopped = true;
      await writing;
    },
  };
}
