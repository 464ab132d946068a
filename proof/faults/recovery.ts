import type { Change } from './audit.ts';
import type { Blow } from './fault.ts';
import type { Run } from './runs.ts';

/** What one fault cost. */
export interface Recovery {
  what: string;
  /** jobs that it interrupted or stranded */
  jobs: number;
  /**
   * Milliseconds from the fault to the next run of each of those jobs. Where there were none, the longest time after the
   * fault in which no run started, until the next fault or the end of the load.
   */
  ms: number[];
}

export interface Records {
  /** oldest first */
  runs: readonly Run[];
  /** oldest first */
  changes: readonly Change[];
  /** the number of the job with that id */
  jobOf(id: string): number | undefined;
  /** from then on pauses between runs say nothing */
  endOfLoad: number;
}

/**
 * Interrupted is a job that was running at the fault and came to another attempt: its next run is the first that began
 * after that attempt was claimed. Stranded is one of which the fault says that it left it without anybody who would dispatch
 * it: its next run is the first after the fault.
 */
export function recoveries(blows: readonly Blow[], { runs, changes, jobOf, endOfLoad }: Records): Recovery[] {
  const startsOf = new Map<number, number[]>();
  for (const { job, startedAt } of runs) startsOf.set(job, [...(startsOf.get(job) ?? []), startedAt]);
  const changesOf = new Map<string, Change[]>();
  for (const change of changes) changesOf.set(change.jobId, [...(changesOf.get(change.jobId) ?? []), change]);

  /** when the next attempt of a job was claimed that was running `at` that time; undefined when it was not, or had none */
  function nextClaim(history: readonly Change[], at: number): number | undefined {
    const then = history.findLast((change) => change.at <= at);
    if (then?.to !== 'running') return undefined;
    return history.find((change) => change.to === 'running' && change.attempt > then.attempt)?.at;
  }

  return blows.map(({ what, at, stranded }, index) => {
    const interrupted = [...changesOf].flatMap(([id, history]) => {
      const [claimedAt, job] = [nextClaim(history, at), jobOf(id)];
      return claimedAt === undefined || job === undefined ? [] : [{ job, from: claimedAt }];
    });
    const concerned = new Map(
      [...stranded.map((job) => ({ job, from: at })), ...interrupted].map((each) => [each.job, each]),
    );
    const ms = [...concerned.values()].flatMap(({ job, from }) => {
      const start = startsOf.get(job)?.find((each) => each >= Math.floor(from)); // the ledger's clock has whole ms
      return start === undefined ? [] : [start - at];
    });
    if (ms.length > 0) return { what, jobs: ms.length, ms };
    const until = Math.min(blows[index + 1]?.at ?? Infinity, endOfLoad);
    return { what, jobs: 0, ms: [longestPause(at, runs, until)] };
  });
}

function longestPause(from: number, runs: readonly Run[], until: number): number {
  let [last, longest] = [from, 0];
  for (const { startedAt } of runs) {
    if (startedAt <= from || startedAt > until) continue;
    longest = Math.max(longest, startedAt - last);
    last = startedAt;
  }
  return longest;
}
