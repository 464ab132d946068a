import type { Change, JobRow } from './audit.ts';
import type { Acceptance } from './load.ts';
import type { Run } from './runs.ts';
import { groupBy } from './group-by.ts';

/** The cause of a second attempt. */
export type Cause =
  /** The worker died or lost its delivery, and another took over. */
  | 'worker lost'
  /** its worker had to let go of it, and said so */
  | 'given back'
  /** the attempt failed */
  | 'attempt failed'
  /** nothing on the row accounts for it */
  | 'unexplained';

/** The records of one scenario. */
export interface Evidence {
  accepted: readonly Acceptance[];
  /** The system's own rows. */
  jobs: readonly JobRow[];
  /** The changes that PostgreSQL has recorded. */
  changes: readonly Change[];
  /** The runs that the jobs' target has recorded. */
  runs: readonly Run[];
  /** The last status that the watcher of a job has received, by job id. */
  watched: ReadonlyMap<string, string>;
  /** `maxAttempts` of every posted job. */
  maxAttempts: number;
  /** Causes that the faults of this scenario make unavoidable. */
  allowed: readonly Cause[];
}

/** The result of a scenario. */
export interface Verdict {
  accepted: number;
  /** Number of stored jobs whose client has received no 202. */
  keptUnheard: number;
  finished: number;
  /** Number of jobs with a 202 that are not stored. */
  lost: number;
  /** Number of stored jobs that are not finished. */
  stuck: number;
  /** Number of jobs that ran twice or more. */
  ranAgain: number;
  /** Number of jobs with a second attempt, by cause, whether or not an earlier attempt became a run. */
  triedAgain: Partial<Record<Cause, number>>;
  /** Number of watched jobs. */
  watched: number;
  /** Failures, one line for each kind with its jobs. */
  failures: string[];
}

/** Milliseconds between the requeue of a job and the end of its call, in either order. */
const LETTING_GO_MS = 2_000;
const TERMINAL = ['succeeded', 'failed', 'cancelled'];
/** PostgreSQL and the ledger keep times to the millisecond. */
const CLOCK_MS = 2;

/** Judges the records of a scenario. */
export function judge({ accepted, jobs, changes, runs, watched, maxAttempts, allowed }: Evidence): Verdict {
  const rows = new Map(jobs.map((row) => [row.job, row]));
  const runsOf = groupBy(runs, ({ job }) => job);
  const changesOf = groupBy(changes, ({ jobId }) => jobId);
  const failures: string[] = [];
  function fail(what: string, found: readonly { id: string }[], tell = ({ id }: { id: string }) => id): void {
    if (found.length === 0) return;
    const more = found.length > 5 ? ` and ${found.length - 5} more` : '';
    failures.push(`${found.length} ${what}: ${found.slice(0, 5).map(tell).join(', ')}${more}`);
  }
  const tellRow = (found: { id: string }): string => JSON.stringify(found);
  const historyOf = ({ id }: { id: string }) => changesOf.get(id) ?? [];

  const lost = accepted.filter(({ job, id }) => rows.get(job)?.id !== id);
  fail('lost (202, but no row)', lost);
  const stuck = jobs.filter(({ status }) => !TERMINAL.includes(status));
  fail('stuck', stuck, tellRow);
  const finished = jobs.filter(({ status }) => TERMINAL.includes(status));
  fail(
    'not succeeded',
    finished.filter(({ status }) => status !== 'succeeded'),
    tellRow,
  );
  fail(
    'with another result than its own',
    jobs.filter(({ status, result, job }) => status === 'succeeded' && result !== String(job)),
    tellRow,
  );
  fail(
    'whose attempt was finished by another worker while it ran',
    jobs.filter((row) => isUndercut(runsOf.get(row.job) ?? [], historyOf(row))),
    tellRow,
  );
  fail(
    'finished without a complete run',
    jobs.filter(({ status, job }) => status === 'succeeded' && !runsOf.get(job)?.some(({ answered }) => answered)),
  );
  fail(
    'with other than one terminal state',
    finished.filter((row) => historyOf(row).filter(({ to }) => TERMINAL.includes(to)).length !== 1),
  );
  fail(
    'that left a final status',
    jobs.filter((row) => historyOf(row).some(({ from }) => from !== null && TERMINAL.includes(from))),
  );
  fail(
    'run before it was due',
    jobs.filter((row) => {
      const start = runsOf.get(row.job)?.[0]?.startedAt ?? Infinity;
      return start < (historyOf(row)[0]?.dueAt ?? 0) - CLOCK_MS;
    }),
  );
  fail(
    'whose watcher never received the final event',
    finished.filter(({ id, status }) => watched.has(id) && watched.get(id) !== status),
    ({ id }) => `${id} (${watched.get(id)})`,
  );
  const [twice] = duplicates(jobs.map(({ job }) => job));
  if (twice !== undefined) failures.push(`job ${twice} is stored twice`);
  const strangers = runs.filter(({ job }) => !rows.has(job));
  if (strangers.length > 0) failures.push(`${strangers.length} runs of jobs that are not stored`);

  const triedAgain: Partial<Record<Cause, number>> = {};
  for (const row of jobs) {
    for (const cause of causesOf(row, runsOf.get(row.job)?.length ?? 0, maxAttempts)) {
      triedAgain[cause] = (triedAgain[cause] ?? 0) + 1;
    }
  }
  for (const cause of (Object.keys(triedAgain) as Cause[]).filter((each) => !allowed.includes(each))) {
    const found = jobs.filter((row) => causesOf(row, runsOf.get(row.job)?.length ?? 0, maxAttempts).includes(cause));
    fail(`tried again (${cause}), which no fault of this scenario makes unavoidable`, found, tellRow);
  }

  const acceptedJobs = new Set(accepted.map(({ job }) => job));
  return {
    accepted: accepted.length,
    keptUnheard: jobs.filter(({ job }) => !acceptedJobs.has(job)).length,
    finished: finished.length,
    lost: lost.length,
    stuck: stuck.length,
    ranAgain: [...runsOf.values()].filter(({ length }) => length > 1).length,
    triedAgain,
    watched: watched.size,
    failures,
  };
}

/** Whether a job was requeued or finished while its latest run went on. Only the attempt that runs may do that. */
function isUndercut(runs: readonly Run[], history: readonly Change[]): boolean {
  return history.some(({ from, to, at }) => {
    if (from !== 'running' || to === 'running') return false;
    const latest = runs.filter(({ startedAt }) => startedAt < at).at(-1);
    return latest !== undefined && (latest.endedAt ?? Infinity) > at + LETTING_GO_MS;
  });
}

/** The causes of a job's further attempts; empty without such attempts. Each attempt is one run at most. */
function causesOf({ attempt, errors, error, maxAttempts: now }: JobRow, runs: number, maxAttempts: number): Cause[] {
  const lost = errors.filter((code) => code === 'worker-lost').length;
  const failed = errors.length - lost;
  const givenBack = now - maxAttempts;
  const last = error === null ? 0 : 1; // a failed job's last error is not among the earlier ones
  const explained = lost + failed + givenBack + (attempt > 0 ? 1 : 0);
  const causes: Cause[] = [];
  if (lost > 0 || (last && error === 'worker-lost')) causes.push('worker lost');
  if (givenBack > 0) causes.push('given back');
  if (failed > 0) causes.push('attempt failed');
  if (attempt > explained || runs > attempt) causes.push('unexplained');
  return causes;
}

function duplicates(values: readonly number[]): number[] {
  return values.filter((value, index) => values.indexOf(value) !== index);
}
