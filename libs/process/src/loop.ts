import type { Logger } from './logger.ts';
import { setTimer } from './timers.ts';

/** Runs a function again and again, one round after the other. */
export interface Loop {
  /** Starts the next round now instead of after the pause: there may be work sooner than expected. */
  wake(): void;
  /** Stops the loop. Resolves when the current round is over. */
  stop(): Promise<void>;
}

/** Options of {@link startLoop}. */
export interface LoopOptions {
  /** Name of the loop in the log. */
  name: string;
  /** Does the work of one round. @returns the pause until the next round, in milliseconds */
  round(): Promise<number>;
  /** Pause after a failed round, in milliseconds. */
  retryMs: number;
  log: Logger;
}

/** An error's code, or its name where it has none. */
function kindOf(error: unknown): unknown {
  const { code, name } = Object(error) as { code?: unknown; name?: unknown };
  return code ?? name ?? 'unknown';
}

/**
 * Names of the loops that fail because the database is away, by the log of their process. Only the first one logs it.
 */
const kept = new WeakMap<Logger, Set<string>>();

/**
 * Starts a loop with a first round at once. A failed round is repeated after `retryMs`. The log gets the first of
 * several failures with the same code. While the database is away, one loop of a process logs it, without a stack.
 *
 * @example
 * const loop = startLoop({ name: 'retention', round: async () => deleteOldJobs(), retryMs: 5_000, log });
 * shutdown.step('retention', loop.stop);
 */
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

  function tell(error: unknown, others: Set<string>): void {
    const told = `the ${name} failed and will try again`;
    const { code, message } = error as { code?: unknown; message?: string };
    if (code !== 'database-unavailable') return log.warn({ err: error }, told);
    if (others.size === 0) log.warn({ code }, `${told}: ${message}`);
    others.add(name);
  }

  async function run(): Promise<void> {
    /** Kind of the last round's failure; null after a success. The message may differ each time. */
    let failing: unknown = null;
    const others = kept.get(log) ?? new Set();
    kept.set(log, others);
    while (!stopped) {
      let restMs = retryMs;
      try {
        restMs = await round();
        failing = null;
        others.delete(name);
      } catch (error) {
        const kind = kindOf(error);
        if (kind !== 'database-unavailable') others.delete(name);
        if (failing !== kind) tell(error, others);
        failing = kind;
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
