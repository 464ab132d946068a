/** The longest that timers can wait, in milliseconds: 24.8 days. Runtimes make no time of a longer one. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/** `setTimeout`, for any time: a longer one ends at {@link MAX_TIMER_MS}, and does not fire at once. */
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
 * Calls the listener when the signal fires, at once where it has. However many there are, the signal has one of ours,
 * and none once all are forgotten: a caller's signal may live long, and Node.js warns of a leak at eleven.
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

/** The caller's signal and a clock in one. */
export interface Deadline {
  readonly signal: AbortSignal;
  /** Winds the clock: the signal fires in so many milliseconds; undefined stops the clock. */
  allow(ms: number | undefined): void;
  /** Stops the clock and forgets the caller's signal. */
  end(): void;
}

/** @param late makes the reason with which the signal fires when the time is over */
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

/** Resolves in so many milliseconds, 24 days at most; rejects with the signal's reason when that fires first. */
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
