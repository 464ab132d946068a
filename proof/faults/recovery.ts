import type { Change } from './audit.ts';
import type { Blow } from './fault.ts';
import type { Run } from './runs.ts';

/** The cost of one fault. */
export interface Recovery {
  what: string;
  /** Number of jobs that the fault interrupted or stranded. */
  jobs: number;
  /**
   * Milliseconds from the fault to the next run of each of those jobs. Without such jobs, the longest time after the
   * fault without a new run, until the next fault or the end of the load.
   */
  ms: number[];
}

/** What `recoveries` needs. */
export interface Records {
  /** Oldest first. */
  runs: readonly Run[];
  /** Oldest first. */
  changes: readonly Change[];
  /** The number of the job with this id. */
  jobOf(id: string): number | undefined;
  /** Time after which pauses between runs have no meaning. */
  endOfLoad: number;
}

/**
 * Computes the recovery of each fault. An interrupted job was running at the fault and had another attempt. Its next
 * run is the first after the claim of that attempt. A stranded job has lost its dispatch message by the fault. Its next
 * run is the first after the fault.
 */
export function recoveries(blows: readonly Blow[], { runs, changes, jobOf, endOfLoad }: Records): Recovery[] {
  const startsOf = new Map<number, number[]>();
  for (const { job, startedAt } of runs) startsOf.set(job, [...(startsOf.get(job) ?? []), startedAt]);
  const changesOf = new Map<string, Change[]>();
  for (const change of changes) changesOf.set(change.jobId, [...(changesOf.get(change.jobId) ?? []), change]);

  /** When the next attempt of a job that was running at `at` was claimed; undefined without such a job or attempt. */
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
