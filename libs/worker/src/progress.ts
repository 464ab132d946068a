import { storable, type JobProgress } from '@offload/jobs';
import { setTimer } from '@offload/process';

/**
 * Turns a handler's progress calls into fewer writes, one at a time. A new call replaces the call that waits for the
 * next write. So the last call is always written.
 */
export interface ProgressReporter {
  progress(percent: number, message?: string): void;
  /** Ignores further calls, writes the waiting call at once, and resolves when it is written. */
  stop(): Promise<void>;
}

/**
 * @param write must not reject
 * @param everyMs shortest time between the beginnings of two writes, in milliseconds. @default 250
 */
export function reportProgressTo(write: (progress: JobProgress) => Promise<void>, everyMs = 250): ProgressReporter {
  let waiting: JobProgress | null = null;
  let writing: Promise<void> | null = null;
  let timer: NodeJS.Timeout | undefined;
  let notBefore = -Infinity;
  let stopped = false;

  function next(): void {
    timer = undefined;
    if (!waiting || writing) return;
    const now = performance.now();
    if (now < notBefore && !stopped) return void (timer = setTimer(next, notBefore - now));
    notBefore = now + everyMs;
    const latest = waiting;
    waiting = null;
    writing = write(latest).then(() => {
      writing = null;
      next();
    });
  }

  return {
    progress(percent, message) {
      if (stopped) return;
      waiting = progressOf(percent, message);
      if (!timer) next();
    },
    async stop() {
      stopped = true;
      clearTimeout(timer);
      next();
      while (writing) await writing;
    },
  };
}

/** The storable progress of a call: a handler may pass any values. */
export function progressOf(percent: number, message?: string): JobProgress {
  const inRange = Math.min(100, Math.max(0, Number.isFinite(percent) ? percent : 0));
  return { percent: inRange, message: (message ?? null) === null ? null : storable(textOf(message), 500) };
}

/** What a handler gives as text, which may be anything: also what throws when it is printed. */
function textOf(given: unknown): string {
  try {
    return String(given);
  } catch {
    return 'something that can not be printed';
  }
}
