import type { Database } from '@offload/database';
import type { Connection } from '@offload/messaging';
import type { Logger } from '@offload/runtime';
import type { Bell } from './bell.ts';

/** Most rings taken at once. */
const BATCH = 500;
/** How long a taken ring may stay unconfirmed before any relay takes it again. */
const GRACE_MS = 5_000;
/** How often to look when nothing is known to be due: rings of other processes (retries, a dead api) are found so. */
const POLL_MS = 500;

/** Sends the rings that are owed: of delayed jobs, of retries, and those that an api could not send or left behind. */
export interface Relay {
  /** Look now: something may be due sooner than was known. */
  wake(): void;
  /** Resolves when the round under way is over. */
  stop(): Promise<void>;
}

export function startRelay(parts: { database: Database; bell: Bell; broker: Connection; log: Logger }): Relay {
  const { database, bell, broker, log } = parts;
  let stopped = false;
  let wakeUp: () => void = () => undefined;
  let awake = false;

  /** @returns how long to rest, in milliseconds */
  async function round(): Promise<number> {
    if (broker.state !== 'open') return POLL_MS;
    const owed = await database.takeOwedRings(BATCH, GRACE_MS);
    await Promise.all(owed.map((each) => bell.ring(each)));
    if (owed.length === BATCH) return 0;
    const ms = await database.msUntilNextRing();
    // Rings that are due but taken by another relay would otherwise have us ask without a pause.
    return ms === null ? POLL_MS : Math.min(Math.max(ms, 10), POLL_MS);
  }

  async function rest(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      if (awake || stopped) return resolve();
      const timer = setTimeout(resolve, ms);
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
      let restMs = POLL_MS;
      try {
        restMs = await round();
        failing = false;
      } catch (error) {
        if (!failing) log.warn({ err: error }, 'the relay cannot read the outbox; it goes on trying');
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
