import type { Submission } from '@offload/running-system/requests';
import { between, type Random } from '../random.ts';

/** How a job is to end, so that final states differ. */
export type Fate =
  | 'runs'
  /** it takes longer than it may */
  | 'times out'
  /** over HTTP, as soon as its browser hears that it runs */
  | 'cancelled running'
  /** over HTTP at any time: while it waits, runs, or is finished */
  | 'cancelled';

/** Out of ten: one times out, two are cancelled. */
export function fateOf(job: number): Fate {
  const fates: readonly (Fate | undefined)[] = ['times out', 'cancelled running', 'cancelled'];
  return fates[job % 10] ?? 'runs';
}

/** Enough for whatever the faults may cost a job. */
const MAX_ATTEMPTS = 10;
const SHORTEST_S = 0.2;
const LONGEST_S = 3;
/** What a job takes at the mean, in milliseconds. */
export const MEAN_MS = ((SHORTEST_S + LONGEST_S) / 2) * 1_000;

export function submissionOf(job: number, random: Random): Submission {
  const seconds = Math.round(between(random, SHORTEST_S, LONGEST_S) * 1_000) / 1_000;
  const sleep = { type: 'demo.sleep', payload: { seconds }, maxAttempts: MAX_ATTEMPTS } as const;
  if (fateOf(job) !== 'times out') return sleep;
  return { ...sleep, payload: { seconds: seconds + 1 }, timeoutMs: Math.round(seconds * 1_000), maxAttempts: 1 };
}
