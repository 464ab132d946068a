import type { Submission } from '@offload/running-system/requests';
import { between, type Random } from '../random.ts';

/** The intended end of a job, so that final statuses differ. */
export type Fate =
  | 'runs'
  /** it takes longer than it may */
  | 'times out'
  /** over HTTP, as soon as its browser hears that it runs */
  | 'cancelled running'
  /** over HTTP at any time: while it waits, runs, or is finished */
  | 'cancelled';

/** Of ten jobs, one times out and two are cancelled. */
export function fateOf(job: number): Fate {
  const fates: readonly (Fate | undefined)[] = ['times out', 'cancelled running', 'cancelled'];
  return fates[job % 10] ?? 'runs';
}

/** Enough attempts for all faults. */
const MAX_ATTEMPTS = 10;
const SHORTEST_S = 0.2;
const LONGEST_S = 3;
/** Mean duration of a job, in milliseconds. */
export const MEAN_MS = ((SHORTEST_S + LONGEST_S) / 2) * 1_000;

/** The submission of a job. */
export function submissionOf(job: number, random: Random): Submission {
  const seconds = Math.round(between(random, SHORTEST_S, LONGEST_S) * 1_000) / 1_000;
  const sleep = { type: 'demo.sleep', payload: { seconds }, maxAttempts: MAX_ATTEMPTS } as const;
  if (fateOf(job) !== 'times out') return sleep;
  return { ...sleep, payload: { seconds: seconds + 1 }, timeoutMs: Math.round(seconds * 1_000), maxAttempts: 1 };
}
