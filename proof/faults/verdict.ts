import type { Change, JobRow } from './audit.ts';
import type { Acceptance } from './load.ts';
import type { Run } from './runs.ts';
import { groupBy } from './group-by.ts';

/** Why a job was tried more than once. */
export type Cause =
  /** its worker died or lost its delivery, and another took over */
  | 'worker lost'
  /** its worker had to let go of it, and said so */
  | 'given back'
  /** the attempt failed */
  | 'attempt failed'
  /** nothing on the row accounts for it */
  | 'unexplained';

/** What one scenario left behind. */
export interface Evidence {
  accepted: readonly Acceptance[];
  /** the system's own rows */
  jobs: readonly JobRow[];
  /** what PostgreSQL recorded of them */
  changes: readonly Change[];
  /** what their target recorded */
  runs: readonly Run[];
  /** by job id: the status that its watcher heard of last */
  watched: ReadonlyMap<string, string>;
  /** `maxAttempts` of every job when it was posted */
  maxAttempts: number;
  /** causes that the faults of this scenario make unavoidable */
  allowed: readonly Cause[];
}

export interface Verdict {
  accepted: number;
  /** jobs that are stored although their client has not heard of a 202 */
  keptUnheard: number;
  finished: number;
  /** answered with 202, but not stored */
  lost: number;
  /** stored, but not finished */
  stuck: number;
  /** jobs that ran twice or more */
  ranAgain: number;
  /** jobs that were tried again, whether or not an earlier attempt got as far as a run, by cause */
  triedAgain: Partial<Record<Cause, number>>;
  /** jobs that somebody watched */
  watched: number;
  /** what must not be: one line a kind, with the jobs */
  failures: string[];
}

/** A worker that gives a job back breaks off its call at the same time, more or less. */
const LETTING_GO_MS = 2_000;
const TERMINAL = ['succeeded', 'failed', 'cancelled'];
/** PostgreSQL keeps due times to the millisecond, and so does the ledger. */
const CLOCK_MS = 2;

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
    'ended otherwise than succeeded',
    finished.filter(({ status }) => status !== 'succeeded'),
    tellRow,
  );
  fail(
    'with another result than its own',
    jobs.filter(({ status, result, job }) => status === 'succeeded' && result !== String(job)),
    tellRow,
  );
  fail(
    'whose attempt was ended by somebody else while it ran',
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
    'that left a terminal state',
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
    'whose watcher never heard of the end',
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
    fail(`tried again (${cause}), which no fault of this scenario asks for`, found, tellRow);
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

/** Whether a job was given back or finished although its latest run went on: only the attempt that runs it may say so. */
function isUndercut(runs: readonly Run[], history: readonly Change[]): boolean {
  return history.some(({ from, to, at }) => {
    if (from !== 'running' || to === 'running') return false;
    const latest = runs.filter(({ startedAt }) => startedAt < at).at(-1);
    return latest !== undefined && (latest.endedAt ?? Infinity) > at + LETTING_GO_MS;
  });
}

/** Why a job was tried again; nothing when it was not. Each attempt is one run at most. */
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
