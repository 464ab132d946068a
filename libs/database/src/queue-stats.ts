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

/** Counts and samples of queues. */
export interface QueueStats {
  /** Counts all unfinished jobs, for the doctor. */
  survey(): Promise<Survey>;
  /** Counts the unfinished jobs of each queue, and how long the oldest has waited. */
  count(): Promise<QueueCount[]>;
  /** Counts the running and scheduled jobs of each queue. */
  countStarted(): Promise<Pick<QueueCount, 'queue' | 'running' | 'scheduled'>[]>;
  /** Counts the jobs that wait in these queues, and how many of them waited at an earlier sample (its `at`). */
  sample(queues: readonly string[], since: number | null): Promise<QueueSamples>;
  /** Counts the jobs before this one in its queue, at most 10,000. @returns null if the job is not queued */
  countAhead(asked: AheadOf): Promise<number | null>;
}

/** Makes the counts of a pool. */
export function createQueueStats(pool: Pool): QueueStats {
  return {
    survey: () => orUnavailable(() => survey(pool)),
    count: () => orUnavailable(() => countQueues(pool)),
    countStarted: () => orUnavailable(() => countStarted(pool)),
    sample: (queues, since) => orUnavailable(() => sampleQueues(pool, queues, since)),
    countAhead: shareStatement((asked: AheadOf[]) => countAhead(pool, asked), { maxItems: 1_000 }),
  };
}
