import type { PendingDispatch, Outbox } from '@offload/database';
import type { Connection } from '@offload/messaging';
import { delay, type Logger, type Loop, startLoop } from '@offload/process';
import type { Dispatcher } from '../dispatcher.ts';

/** Most dispatch messages taken at once. */
const BATCH = 500;
/** How long a taken dispatch message may stay unconfirmed before any relay takes it again. */
const GRACE_MS = 5_000;
/** How often to look when nothing is known to be due: dispatch messages of other processes (retries, a dead api) are found so. */
const POLL_MS = 250;
/** How long a round waits for its dispatch messages. A queue that takes longer is left to itself, and other queues get theirs. */
const PATIENCE_MS = 1_000;
/** Of a silent queue's dispatch messages so many come due again in a second, lest a backlog of them keep the relay from those of others, ... */
const PUT_OFF_A_SECOND = 2_000;
/** ... each in this time at the latest. Dispatch messages that are due in a minute count as pending: see `lost-dispatches.ts`. */
const LONGEST_PUT_OFF_MS = 50_000;

export interface RelayParts {
  database: { outbox: Pick<Outbox, 'takeDue' | 'putOff' | 'msUntilNext'> };
  dispatcher: Pick<Dispatcher, 'dispatch' | 'isSilent'>;
  broker: Pick<Connection, 'state'>;
  log: Logger;
}

/**
 * Sends the dispatch messages that are pending: of delayed jobs, of retries, and those that an api could not send or left behind. A queue that
 * does not confirm its dispatch messages holds up no other.
 */
export function startRelay({ database, dispatcher, broker, log }: RelayParts): Loop {
  /** Queues that have not settled all dispatch messages of an earlier round: they get no more until they have. */
  const late = new Set<string>();
  /** Until when dispatch messages are put off by now, by `performance.now()`. */
  let putOffUntil = 0;

  async function send(queue: string, dispatches: PendingDispatch[]): Promise<void> {
    late.add(queue);
    await Promise.all(dispatches.map(dispatcher.dispatch));
    late.delete(queue);
  }

  async function putOff(dispatches: PendingDispatch[]): Promise<void> {
    const now = performance.now();
    const until = Math.max(putOffUntil, now + GRACE_MS) + (dispatches.length / PUT_OFF_A_SECOND) * 1_000;
    putOffUntil = Math.min(until, now + LONGEST_PUT_OFF_MS);
    const ids = dispatches.map(({ outboxId }) => outboxId);
    await database.outbox.putOff(ids, Math.round(putOffUntil - now));
  }

  async function round(): Promise<number> {
    if (broker.state !== 'open') return POLL_MS;
    const pending = await database.outbox.takeDue(BATCH, GRACE_MS);
    const silent: PendingDispatch[] = [];
    const sent: Promise<void>[] = [];
    for (const [queue, dispatches] of byQueue(pending)) {
      const isSilent = dispatcher.isSilent(queue);
      if (!late.has(queue)) {
        const sending = send(queue, dispatches);
        if (!isSilent) sent.push(sending); // otherwise these dispatch messages find out whether it still is
      } else if (isSilent) silent.push(...dispatches);
    }
    if (silent.length > 0) await putOff(silent);
    if (sent.length > 0) await Promise.race([Promise.all(sent), delay(PATIENCE_MS, undefined, { ref: false })]);
    if (pending.length === BATCH) return sent.length + silent.length > 0 ? 0 : POLL_MS;
    const ms = await database.outbox.msUntilNext();
    // Dispatch messages that are due but taken by another relay would otherwise have us ask without a pause.
    return ms === null ? POLL_MS : Math.min(Math.max(ms, 10), POLL_MS);
  }

  return startLoop({ name: 'relay', round, retryMs: POLL_MS, log });
}

function byQueue(pending: readonly PendingDispatch[]): Map<string, PendingDispatch[]> {
  const queues = new Map<string, PendingDispatch[]>();
  for (const each of pending) {
    const dispatches = queues.get(each.queue);
    if (dispatches) dispatches.push(each);
    else queues.set(each.queue, [each]);
  }
  return queues;
}
