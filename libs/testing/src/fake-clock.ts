import fakeTimers from '@sinonjs/fake-timers';
import { syncBuiltinESMExports } from 'node:module';

/** A clock that stands still until a test moves it. */
export interface FakeClock {
  /** Moves the clock by `ms` milliseconds, runs the timers that become due, and lets their promises settle. */
  advance(ms: number): Promise<void>;
  /** Restores the real clock. Call it once. */
  restore(): void;
}

const REPLACED = ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date', 'performance'] as const;

/**
 * Replaces the clock of this process: timers, `Date` and `performance.now`. Handlers and job timeouts use it too. It
 * replaces `node:timers/promises` except under Jest, whose modules keep the functions that they have imported.
 *
 * @param now the first time of the clock. @default the present
 * @example
 * const clock = fakeClock();
 * const running = runHandler({ definition: demoSleep, handler }, { seconds: 3_600 });
 * await clock.advance(3_600_000);
 * assert.equal((await running).status, 'succeeded');
 * clock.restore();
 */
export function fakeClock(now: Date = new Date()): FakeClock {
  const clock = fakeTimers.withGlobal(globalThis).install({ now, toFake: REPLACED });
  syncBuiltinESMExports();
  return {
    advance: async (ms) => void (await clock.tickAsync(ms)),
    restore() {
      clock.uninstall();
      syncBuiltinESMExports();
    },
  };
}
