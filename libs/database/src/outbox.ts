import type { Job } from '@offload/jobs';
import type { Pool } from 'pg';
import { shareStatement } from './share-statement.ts';
import { countRung, listRung, oweLostRings, oweScheduledRings, type RungCount } from './transitions/lost-dispatches.ts';
import {
  confirmRings,
  msUntilNextRing,
  putOffRings,
  takeOwedRings,
  type OwedRing,
} from './transitions/due-dispatches.ts';
import { orUnavailable } from './unavailable.ts';

/** The rings that are owed (the outbox), and those that the broker may have lost. */
export interface RingStore {
  takeOwed(limit: number, graceMs: number): Promise<OwedRing[]>;
  putOff(outboxIds: readonly string[], ms: number): Promise<void>;
  /** @returns the job without payload, result and errors; null where its status did not change */
  confirm(outboxId: string): Promise<Job | null>;
  msUntilNext(): Promise<number | null>;
  /** How many rings of this queue must be with the broker, and how many of an earlier count (its `at`) still must. */
  countRung(queue: string, since: number | null): Promise<RungCount>;
  /** The oldest of their jobs that were due at least `settledMs` ago, but for those whose rings workers have. */
  listRung(queue: string, limit: number, settledMs: number): Promise<string[]>;
  /** @returns how many of these jobs are to be rung again */
  oweLost(jobIds: string[]): Promise<number>;
  /** @returns how many scheduled jobs owe their ring again */
  oweScheduled(limit: number): Promise<number>;
}

/**
 * How long confirmed rings gather before they are removed from the outbox, and most of them in a statement: each of
 * these costs a commit, and has to keep up with several that store a thousand jobs at a time.
 */
const CONFIRM = { gatherMs: 20, maxItems: 5_000 };

export function createRingStore(pool: Pool): RingStore {
  return {
    takeOwed: (limit, graceMs) => orUnavailable(() => takeOwedRings(pool, limit, graceMs)),
    putOff: (outboxIds, ms) => orUnavailable(() => putOffRings(pool, outboxIds, ms)),
    // No client waits for it, and meanwhile the relay leaves the ring alone.
    confirm: shareStatement((outboxIds: string[]) => confirmRings(pool, outboxIds), CONFIRM),
    msUntilNext: () => orUnavailable(() => msUntilNextRing(pool)),
    countRung: (queue, since) => orUnavailable(() => countRung(pool, queue, since)),
    listRung: (queue, limit, settledMs) => orUnavailable(() => listRung(pool, queue, limit, settledMs)),
    oweLost: (jobIds) => orUnavailable(() => oweLostRings(pool, jobIds)),
    oweScheduled: (limit) => orUnavailable(() => oweScheduledRings(pool, limit)),
  };
}
