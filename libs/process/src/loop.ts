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

/** An error's code, or its name where it has none. */
function kindOf(error: unknown): unknown {
  const { code, name } = Object(error) as { code?: unknown; name?: unknown };
  return code ?? name ?? 'unknown';
}

/** Loops that the database keeps from their work, by the log of their process: the first one tells. */
const kept = new WeakMap<Logger, Set<string>>();

/**
 * Begins at once. A round that fails is logged, the first of several that fail with the same code, and tried again.
 * While the database is away, one loop of a process says so, without a stack.
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
    const told = `the ${name} can't do its work; it goes on trying`;
    const { code, message } = error as { code?: unknown; message?: string };
    if (code !== 'database-unavailable') return log.warn({ err: error }, told);
    if (others.size === 0) log.warn({ code }, `${told}: ${message}`);
    others.add(name);
  }

  async function run(): Promise<void> {
    /** What the last round failed with, if it did: the kind, since a message may be another each time. */
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
