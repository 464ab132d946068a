import type { OwedRing, RingStore } from '@offload/database';
import type { Connection } from '@offload/messaging';
import { delay, type Logger, type Loop, startLoop } from '@offload/process';
import type { Bell } from '../dispatcher.ts';

/** Most rings taken at once. */
const BATCH = 500;
/** How long a taken ring may stay unconfirmed before any relay takes it again. */
const GRACE_MS = 5_000;
/** How often to look when nothing is known to be due: rings of other processes (retries, a dead api) are found so. */
const POLL_MS = 250;
/** How long a round waits for its rings. A queue that takes longer is left to itself, and other queues get theirs. */
const PATIENCE_MS = 1_000;
/** Of a silent queue's rings so many come due again in a second, lest a backlog of them keep the relay from those of others, ... */
const PUT_OFF_A_SECOND = 2_000;
/** ... each in this time at the latest. Rings that are due in a minute count as owed: see `lost-dispatches.ts`. */
const LONGEST_PUT_OFF_MS = 50_000;

export interface RelayParts {
  database: { rings: Pick<RingStore, 'takeOwed' | 'putOff' | 'msUntilNext'> };
  bell: Pick<Bell, 'ring' | 'isSilent'>;
  broker: Pick<Connection, 'state'>;
  log: Logger;
}

/**
 * Sends the rings that are owed: of delayed jobs, of retries, and those that an api could not send or left behind. A queue that
 * does not confirm its rings holds up no other.
 */
export function startRelay({ database, bell, broker, log }: RelayParts): Loop {
  /** Queues that have not settled all rings of an earlier round: they get no more until they have. */
  const late = new Set<string>();
  /** Until when rings are put off by now, by `performance.now()`. */
  let putOffUntil = 0;

  async function send(queue: string, rings: OwedRing[]): Promise<void> {
    late.add(queue);
    await Promise.all(rings.map(bell.ring));
    late.delete(queue);
  }

  async function putOff(rings: OwedRing[]): Promise<void> {
    const now = performance.now();
    const until = Math.max(putOffUntil, now + GRACE_MS) + (rings.length / PUT_OFF_A_SECOND) * 1_000;
    putOffUntil = Math.min(until, now + LONGEST_PUT_OFF_MS);
    const ids = rings.map(({ outboxId }) => outboxId);
    await database.rings.putOff(ids, Math.round(putOffUntil - now));
  }

  async function round(): Promise<number> {
    if (broker.state !== 'open') return POLL_MS;
    const owed = await database.rings.takeOwed(BATCH, GRACE_MS);
    const silent: OwedRing[] = [];
    const sent: Promise<void>[] = [];
    for (const [queue, rings] of byQueue(owed)) {
      const isSilent = bell.isSilent(queue);
      if (!late.has(queue)) {
        const sending = send(queue, rings);
        if (!isSilent) sent.push(sending); // otherwise these rings find out whether it still is
      } else if (isSilent) silent.push(...rings);
    }
    if (silent.length > 0) await putOff(silent);
    if (sent.length > 0) await Promise.race([Promise.all(sent), delay(PATIENCE_MS, undefined, { ref: false })]);
    if (owed.length === BATCH) return sent.length + silent.length > 0 ? 0 : POLL_MS;
    const ms = await database.rings.msUntilNext();
    // Rings that are due but taken by another relay would otherwise have us ask without a pause.
    return ms === null ? POLL_MS : Math.min(Math.max(ms, 10), POLL_MS);
  }

  return startLoop({ name: 'relay', round, retryMs: POLL_MS, log });
}

function byQueue(owed: readonly OwedRing[]): Map<string, OwedRing[]> {
  const queues = new Map<string, OwedRing[]>();
  for (const each of owed) {
    const rings = queues.get(each.queue);
    if (rings) rings.push(each);
    else queues.set(each.queue, [each]);
  }
  return queues;
}
