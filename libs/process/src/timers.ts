import { setTimeout as pause } from 'node:timers/promises';

/** The longest time of a timer, in milliseconds: 24.8 days. Node.js turns a longer one into 1 ms. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/** Calls `setTimeout`. A time beyond {@link MAX_TIMER_MS} is cut to it, so that the timer does not fire at once. */
export function setTimer(run: () => void, ms: number): NodeJS.Timeout {
  return setTimeout(run, Math.min(ms, MAX_TIMER_MS));
}

/** Calls `setInterval`, with the same limit as {@link setTimer}. */
export function setTicker(run: () => void, ms: number): NodeJS.Timeout {
  return setInterval(run, Math.min(ms, MAX_TIMER_MS));
}

/**
 * Resolves with `value` after `ms` milliseconds, with the same limit as {@link setTimer}. Rejects with an `AbortError`
 * when the signal fires first.
 *
 * @param options `ref: false` lets the process end before
 */
export function delay<T = void>(ms: number, value?: T, options?: { signal?: AbortSignal; ref?: boolean }): Promise<T> {
  return pause(Math.min(ms, MAX_TIMER_MS), value, options) as Promise<T>;
}
