import { setTimeout as pause } from 'node:timers/promises';

/** The longest time that a timer can wait, in milliseconds: 24.8 days. Node.js makes 1 ms of a longer one. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/** `setTimeout`, for any time: one beyond {@link MAX_TIMER_MS} ends there, and does not fire at once. */
export function setTimer(run: () => void, ms: number): NodeJS.Timeout {
  return setTimeout(run, Math.min(ms, MAX_TIMER_MS));
}

/** `setInterval`, bounded in the same way. */
export function setTicker(run: () => void, ms: number): NodeJS.Timeout {
  return setInterval(run, Math.min(ms, MAX_TIMER_MS));
}

/**
 * Resolves with `value` after so many milliseconds, bounded in the same way. Rejects with an `AbortError` when the
 * signal fires first.
 *
 * @param options `ref: false` lets the process end meanwhile
 */
export function delay<T = void>(ms: number, value?: T, options?: { signal?: AbortSignal; ref?: boolean }): Promise<T> {
  return pause(Math.min(ms, MAX_TIMER_MS), value, options) as Promise<T>;
}
