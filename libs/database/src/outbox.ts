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

/** The pending dispatch messages (the outbox), and those that the broker may have lost. */
export interface Outbox {
  /** Takes dispatch messages that are due, for this caller alone during `graceMs` milliseconds. */
  takeDue(limit: number, graceMs: number): Promise<PendingDispatch[]>;
  /** Makes these dispatch messages due in `ms` milliseconds. */
  putOff(outboxIds: readonly string[], ms: number): Promise<void>;
  /**
   * Removes a dispatch message that the broker has confirmed. @returns the brief job; null if its status did not change
   */
  confirm(outboxId: string): Promise<Job | null>;
  /** Milliseconds until the next dispatch message is due; 0 or less if one is due, null if none is pending. */
  msUntilNext(): Promise<number | null>;
  /**
   * Counts how many dispatch messages of this queue the broker must hold, and how many of an earlier count (its `at`)
   * remain.
   */
  countDispatched(queue: string, since: number | null): Promise<DispatchedCount>;
  /**
   * Lists the oldest jobs with a dispatched message that were due at least `settledMs` milliseconds ago. It leaves out
   * jobs whose message a worker holds.
   */
  listDispatched(queue: string, limit: number, settledMs: number): Promise<string[]>;
  /** Stores dispatch messages for these jobs again. @returns how many it stored */
  redispatchLost(jobIds: string[]): Promise<number>;
  /** Stores missing dispatch messages of scheduled jobs. @returns how many it stored */
  redispatchScheduled(limit: number): Promise<number>;
}

/**
 * Confirmed dispatch messages gather for this time before one statement removes them, because each statement costs a
 * commit. The statement must keep up with several that store a thousand jobs each.
 */
const CONFIRM = { gatherMs: 20, maxItems: 5_000 };

/** Makes the outbox of a pool. */
export function createOutbox(pool: Pool): Outbox {
  return {
    takeDue: (limit, graceMs) => orUnavailable(() => takeDueDispatches(pool, limit, graceMs)),
    putOff: (outboxIds, ms) => orUnavailable(() => putOffDispatches(pool, outboxIds, ms)),
    // No client waits for the removal, and the relay leaves the dispatch message alone meanwhile.
    confirm: shareStatement((outboxIds: string[]) => confirmDispatches(pool, outboxIds), CONFIRM),
    msUntilNext: () => orUnavailable(() => msUntilNextDispatch(pool)),
    countDispatched: (queue, since) => orUnavailable(() => countDispatched(pool, queue, since)),
    listDispatched: (queue, limit, settledMs) => orUnavailable(() => listDispatched(pool, queue, limit, settledMs)),
    redispatchLost: (jobIds) => orUnavailable(() => redispatchLostJobs(pool, jobIds)),
    redispatchScheduled: (limit) => orUnavailable(() => redispatchScheduledJobs(pool, limit)),
  };
}
