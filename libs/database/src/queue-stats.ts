import type { Pool } from 'pg';
import {
  countAhead,
  countQueues,
  countStarted,
  sampleQueues,
  type AheadOf,
  type QueueCount,
  type QueueSamples,
} from './queues.ts';
import { shareStatement } from './share-statement.ts';
import { survey, type Survey } from './survey.ts';
import { orUnavailable } from './unavailable.ts';

/** How much is in the queues. */
export interface QueueStats {
  /** Counts all unfinished jobs, for the doctor. */
  survey(): Promise<Survey>;
  /** Counts the unfinished jobs of each queue, with how long they have waited. */
  count(): Promise<QueueCount[]>;
  /** Counts those of them that are running or scheduled. */
  countStarted(): Promise<Pick<QueueCount, 'queue' | 'running' | 'scheduled'>[]>;
  /** How many jobs wait in these queues, and how many of them did so at the time of an earlier sample (its `at`). */
  sample(queues: readonly string[], since: number | null): Promise<QueueSamples>;
  /** @returns how many jobs come before this one in its queue, 10,000 at most; null when it is not queued */
  countAhead(asked: AheadOf): Promise<number | null>;
}

export function createQueueStats(pool: Pool): QueueStats {
  return {
    survey: () => orUnavailable(() => survey(pool)),
    count: () => orUnavailable(() => countQueues(pool)),
    countStarted: () => orUnavailable(() => countStarted(pool)),
    sample: (queues, since) => orUnavailable(() => sampleQueues(pool, queues, since)),
    countAhead: shareStatement((asked: AheadOf[]) => countAhead(pool, asked), { maxItems: 1_000 }),
  };
}
