/** The longest time of a timer, in milliseconds: 24.8 days. Runtimes fire a timer with a longer time at once. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/** Calls `setTimeout`. A longer time is cut to {@link MAX_TIMER_MS}, so that the timer does not fire at once. */
function setTimer(run: () => void, ms: number): ReturnType<typeof setTimeout> {
  return setTimeout(run, Math.min(ms, MAX_TIMER_MS));
}

interface Listening {
  all: Set<() => void>;
  tell(): void;
}

const listening = new WeakMap<AbortSignal, Listening>();

function listenTo(signal: AbortSignal): Listening {
  const all = new Set<() => void>();
  const listener = { all, tell: () => [...all].forEach((each) => each()) };
  signal.addEventListener('abort', listener.tell, { once: true });
  listening.set(signal, listener);
  return listener;
}

/**
 * Calls the listener when the signal fires, or at once if it has fired. All listeners of a signal share one native
 * listener, which goes when the last of them is forgotten: a signal may live long, and Node.js warns at eleven.
 *
 * @returns a function that forgets the listener
 */
function onAbort(signal: AbortSignal | undefined, listener: () => void): () => void {
  if (!signal) return () => undefined;
  if (signal.aborted) {
    listener();
    return () => undefined;
  }
  const { all, tell } = listening.get(signal) ?? listenTo(signal);
  all.add(listener);
  return () => {
    if (!all.delete(listener) || all.size > 0) return;
    signal.removeEventListener('abort', tell);
    listening.delete(signal);
  };
}

/** A signal that fires with the caller's signal or when a time is over. */
export interface Deadline {
  readonly signal: AbortSignal;
  /** Restarts the clock: the signal fires in `ms` milliseconds. With undefined the clock stops. */
  allow(ms: number | undefined): void;
  /** Stops the clock and forgets the caller's signal. */
  end(): void;
}

/** @param late makes the signal's reason when the time is over */
export function startDeadline(signal: AbortSignal | undefined, late: (ms: number) => unknown): Deadline {
  const controller = new AbortController();
  const forget = onAbort(signal, () => controller.abort(signal?.reason));
  let timer: ReturnType<typeof setTimeout> | undefined;

  function allow(ms: number | undefined): void {
    clearTimeout(timer);
    timer = ms === undefined ? undefined : setTimer(() => controller.abort(late(ms)), ms);
  }
  function end(): void {
    allow(undefined);
    forget();
  }
  return { signal: controller.signal, allow, end };
}

/** Resolves after `ms` milliseconds, at most 24.8 days. Rejects with the signal's reason if the signal fires first. */
export function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimer(() => {
      forget();
      resolve();
    }, ms);
    const forget = onAbort(signal, () => {
      clearTimeout(timer);
      reject(signal?.reason);
    });
  });
}
