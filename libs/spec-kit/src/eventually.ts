import { setTimeout as delay } from 'node:timers/promises';

/** Options of {@link eventually}. */
export interface EventuallyOptions {
  /** Milliseconds after which it rejects. @default 10_000 */
  timeoutMs?: number;
  /** Pause between two attempts in milliseconds. @default 20 */
  intervalMs?: number;
}

const DEFAULTS = { timeoutMs: 10_000, intervalMs: 20 } satisfies Required<EventuallyOptions>;

/**
 * Repeats an assertion until it passes, and resolves with its value. After `timeoutMs` it rejects with the last error.
 *
 * @example
 * await eventually(() => expect(connection.state).toBe('open'));
 */
export async function eventually<T>(assertion: () => T | Promise<T>, options: EventuallyOptions = {}): Promise<T> {
  const { timeoutMs, intervalMs } = { ...DEFAULTS, ...options };
  const until = performance.now() + timeoutMs;
  for (;;) {
    try {
      return await assertion();
    } catch (error) {
      if (performance.now() >= until) throw error;
    }
    await delay(intervalMs);
  }
}
