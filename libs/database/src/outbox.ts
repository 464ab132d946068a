import type { Job } from '@offload/jobs';
import type { Pool } from 'pg';
import { shareStatement } from './share-statement.ts';
import {
  countDispatched,
  listDispatched,
  redispatchLostJobs,
  redispatchScheduledJobs,
  type DispatchedCount,
} from './transitions/lost-dispatches.ts';
import {
  confirmDispatches,
  msUntilNextDispatch,
  putOffDispatches,
  takeDueDispatches,
  type PendingDispatch,
} from './transitions/due-dispatches.ts';
import { orUnavailable } from './unavailable.ts';

/** The dispatch messages that are pending (the outbox), and those that the broker may have lost. */
export interface Outbox {
  takeDue(limit: number, graceMs: number): Promise<PendingDispatch[]>;
  putOff(outboxIds: readonly string[], ms: number): Promise<void>;
  /** @returns the job without payload, result and errors; null where its status did not change */
  confirm(outboxId: string): Promise<Job | null>;
  msUntilNext(): Promise<number | null>;
  /** How many dispatch messages of this queue must be with the broker, and how many of an earlier count (its `at`) still must. */
  countDispatched(queue: string, since: number | null): Promise<DispatchedCount>;
  /** The oldest of their jobs that were due at least `settledMs` ago, but for those whose dispatch messages workers have. */
  listDispatched(queue: string, limit: number, settledMs: number): Promise<string[]>;
  /** @returns how many of these jobs are to be dispatched again */
  redispatchLost(jobIds: string[]): Promise<number>;
  /** @returns how many scheduled jobs owe their dispatch again */
  redispatchScheduled(limit: number): Promise<number>;
}

/**
 * How long confirmed dispatch messages gather before they are removed from the outbox, and most of them in a statement: each of
 * these costs a commit, and has to keep up with several that store a thousand jobs at a time.
 */
const CONFIRM = { gatherMs: 20, maxItems: 5_000 };

export function createOutbox(pool: Pool): Outbox {
  return {
    takeDue: (limit, graceMs) => orUnavailable(() => takeDueDispatches(pool, limit, graceMs)),
    putOff: (outboxIds, ms) => orUnavailable(() => putOffDispatches(pool, outboxIds, ms)),
    // No client waits for it, and meanwhile the relay leaves the dispatch message alone.
    confirm: shareStatement((outboxIds: string[]) => confirmDispatches(pool, outboxIds), CONFIRM),
    msUntilNext: () => orUnavailable(() => msUntilNextDispatch(pool)),
    countDispatched: (queue, since) => orUnavailable(() => countDispatched(pool, queue, since)),
    listDispatched: (queue, limit, settledMs) => orUnavailable(() => listDispatched(pool, queue, limit, settledMs)),
    redispatchLost: (jobIds) => orUnavailable(() => redispatchLostJobs(pool, jobIds)),
    redispatchScheduled: (limit) => orUnavailable(() => redispatchScheduledJobs(pool, limit)),
  };
}
