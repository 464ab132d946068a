import { storable, type JobProgress } from '@offload/jobs';
import { setTimer } from '@offload/process';

/**
 * Turns a handler's progress calls into writes: one at a time, and not one for each call. What comes before the next
 * write may begin replaces what waits for it, so the latest is always written in the end.
 */
export interface ProgressReporter {
  progress(percent: number, message?: string): void;
  /** Takes no more calls, writes at once what waits, and resolves when that is done. */
  stop(): Promise<void>;
}

/**
 * @param write must not reject
 * @param everyMs how long after a write has begun the next one may, in milliseconds. @default 250
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

/** What is kept of a call, which a handler may make with anything. */
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
