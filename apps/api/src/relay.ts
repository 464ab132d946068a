import type { Database } from '@offload/database';
import type { Connection } from '@offload/messaging';
import { startLoop, type Logger, type Loop } from '@offload/runtime';
import type { Bell } from './bell.ts';

/** Most rings taken at once. */
const BATCH = 500;
/** How long a taken ring may stay unconfirmed before any relay takes it again. */
const GRACE_MS = 5_000;
/** How often to look when nothing is known to be due: rings of other processes (retries, a dead api) are found so. */
const POLL_MS = 250;

export interface RelayParts {
  database: Pick<Database, 'takeOwedRings' | 'msUntilNextRing'>;
  bell: Pick<Bell, 'ring'>;
  broker: Pick<Connection, 'state'>;
  log: Logger;
}

/** Sends the rings that are owed: of delayed jobs, of retries, and those that an api could not send or left behind. */
export function startRelay({ database, bell, broker, log }: RelayParts): Loop {
  async function round(): Promise<number> {
    if (broker.state !== 'open') return POLL_MS;
    const owed = await database.takeOwedRings(BATCH, GRACE_MS);
    await Promise.all(owed.map((each) => bell.ring(each)));
    if (owed.length === BATCH) return 0;
    const ms = await database.msUntilNextRing();
    // Rings that are due but taken by another relay would otherwise have us ask without a pause.
    return ms === null ? POLL_MS : Math.min(Math.max(ms, 10), POLL_MS);
  }

  return startLoop({ name: 'relay', round, retryMs: POLL_MS, log });
}
