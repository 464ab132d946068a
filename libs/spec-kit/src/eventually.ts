import { setTimeout as delay } from 'node:timers/promises';

export interface EventuallyOptions {
  /** @default 10_000 */
  timeoutMs?: number;
  /** pause between two tries @default 20 */
  intervalMs?: number;
}

const DEFAULTS = { timeoutMs: 10_000, intervalMs: 20 } satisfies Required<EventuallyOptions>;

/**
 * Repeats an assertion until it passes, and resolves to what it returns. After `timeoutMs` its last error is thrown.
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
