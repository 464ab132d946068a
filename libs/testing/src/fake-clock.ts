import fakeTimers from '@sinonjs/fake-timers';
import { syncBuiltinESMExports } from 'node:module';

/** A clock that stands still until a test moves it. */
export interface FakeClock {
  /** Moves the clock, runs each timer that is due meanwhile, and lets what these have settled go on. */
  advance(ms: number): Promise<void>;
  /** Gives the real clock back. To be called once. */
  restore(): void;
}

const REPLACED = ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date', 'performance'] as const;

/**
 * Replaces the clock of this process: timers, `Date` and `performance.now`, for handlers and for the timeout of their
 * job alike. It reaches `node:timers/promises` too, except under Jest, whose modules keep the functions they imported.
 *
 * @param now what the clock shows first. @default the present
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
