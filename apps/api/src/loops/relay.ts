import type { PendingDispatch, Outbox } from '@offload/database';
import type { Connection } from '@offload/messaging';
import { delay, type Logger, type Loop, startLoop } from '@offload/process';
import type { Dispatcher } from '../dispatcher.ts';

/** Most dispatch messages that the relay takes from the outbox at once. */
const BATCH = 500;
/** How long a taken dispatch message may stay unconfirmed before any relay takes it again. */
const GRACE_MS = 5_000;
/**
 * How often to look when nothing is known to be due: so the relay finds dispatch messages of retries and of a dead api.
 */
const POLL_MS = 250;
/** How long a round waits for confirmations. Then the next round goes on with the other queues. */
const PATIENCE_MS = 1_000;
/**
 * A silent queue's dispatch messages come due again at this rate, so that they do not keep the relay from other queues.
 */
const PUT_OFF_A_SECOND = 2_000;
/**
 * Longest time until such a dispatch message is due again. Messages due in a minute count as pending
 * (`lost-dispatches.ts`).
 */
const LONGEST_PUT_OFF_MS = 50_000;

export interface RelayParts {
  database: { outbox: Pick<Outbox, 'takeDue' | 'putOff' | 'msUntilNext'> };
  dispatcher: Pick<Dispatcher, 'dispatch' | 'isSilent'>;
  broker: Pick<Connection, 'state'>;
  log: Logger;
}

/**
 * Sends pending dispatch messages when they are due: of delayed jobs, of retries, and those that an api could not send.
 * A queue that does not confirm its dispatch messages delays no other queue.
 */
export function startRelay({ database, dispatcher, broker, log }: RelayParts): Loop {
  /**
   * Queues with unconfirmed dispatch messages of an earlier round: the relay sends them no more until these are
   * settled.
   */
  const late = new Set<string>();
  /** The latest time to which dispatch messages are put off, by `performance.now()`. */
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
        if (!isSilent) sent.push(sending); // otherwise do not wait: these messages only probe the silent queue
      } else if (isSilent) silent.push(...dispatches);
    }
    if (silent.length > 0) await putOff(silent);
    if (sent.length > 0) await Promise.race([Promise.all(sent), delay(PATIENCE_MS, undefined, { ref: false })]);
    if (pending.length === BATCH) return sent.length + silent.length > 0 ? 0 : POLL_MS;
    const ms = await database.outbox.msUntilNext();
    // At least 10 ms: messages that are due but taken by another relay would otherwise cause a loop without a pause.
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
