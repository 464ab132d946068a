import type { Logger } from './logger.ts';
import { setTimer } from './timers.ts';

/** Does something again and again, one round after the other. */
export interface Loop {
  /** The next round now: there may be something to do sooner than was known. */
  wake(): void;
  /** Resolves when the round under way is over. */
  stop(): Promise<void>;
}

export interface LoopOptions {
  /** What the log calls it. */
  name: string;
  /** @returns how long to rest then, in milliseconds */
  round(): Promise<number>;
  /** How long to rest after a round that failed, in milliseconds. */
  retryMs: number;
  log: Logger;
}

/** Begins at once. A round that fails is logged, the first of several, and tried again. */
export function startLoop({ name, round, retryMs, log }: LoopOptions): Loop {
  let stopped = false;
  let wakeUp: () => void = () => undefined;
  let awake = false;

  async function rest(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      if (awake || stopped) return resolve();
      const timer = setTimer(resolve, ms);
      wakeUp = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    awake = false;
  }

  async function run(): Promise<void> {
    let failing = false;
    while (!stopped) {
      let restMs = retryMs;
      try {
        restMs = await round();
        failing = false;
      } catch (error) {
        if (!failing) log.warn({ err: error }, `the ${name} can't do its work; it goes on trying`);
        failing = true;
      }
      await rest(restMs);
    }
  }

  const running = run();
  return {
    wake() {
      awake = true;
      wakeUp();
    },
    stop() {
      stopped = true;
      wakeUp();
      return running;
    },
  };
}
