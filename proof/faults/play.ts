import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { readChanges, readJobs, unfinished, type Change } from './audit.ts';
import type { Blow } from './fault.ts';
import type { Ground } from './ground.ts';
import { keepLogs } from './keep-logs.ts';
import type { Load } from './load.ts';
import { orAbort } from './or-abort.ts';
import type { Pace } from './pace.ts';
import { recoveries, type Recovery } from './recovery.ts';
import type { Run } from './runs.ts';
import { isDelayed, MAX_ATTEMPTS, openScene, randomOf, type OpenScene } from './scene.ts';
import type { Scenario } from './scenarios.ts';
import { judge, type Verdict } from './verdict.ts';

/** The record of a scenario. */
export interface Played extends Verdict {
  recoveries: Recovery[];
  /** Milliseconds from the due time of delayed jobs to their first run. */
  lateMs: number[];
  /** Number of posts without a 202, by status. */
  refused: Readonly<Record<string, number>>;
}

/** Options of {@link play}. */
export interface PlayOptions {
  pace: Pace;
  seed: number;
  /** Folder for the logs of processes, which are kept after a failure. */
  logs: string;
  say(line: string): void;
  /** Fires when the time of the suite is over. */
  deadline: AbortSignal;
}

/** Milliseconds for watchers after the last job. */
export const WATCHERS_PATIENCE_MS = 10_000;

/**
 * Plays one scenario: starts a system, a load and the faults, waits until every job is finished, and judges the result.
 */
export async function play(scenario: Scenario, ground: Ground, options: PlayOptions): Promise<Played> {
  const { name, cuttable = [], againMs, environment } = scenario;
  const { pace, logs, deadline } = options;
  const scene = await openScene(ground, {
    name,
    cuttable,
    againMs,
    environment: (place, amqpUrl) => environment?.(place, pace, amqpUrl) ?? {},
    reconcileMs: pace.reconcileMs,
  });
  let played: Played | undefined;
  try {
    return (played = await orAbort(playIn(scene, scenario, ground, options), deadline));
  } finally {
    const outputs = await scene.fleet.close();
    if (played?.failures.length !== 0) await keepLogs(join(logs, name), outputs);
  }
}

async function playIn(scene: OpenScene, scenario: Scenario, ground: Ground, options: PlayOptions): Promise<Played> {
  const { name, allowed } = scenario;
  const { pace, seed, say } = options;
  const { fleet, databaseUrl, watchers } = scene;
  const broken = scenario.check?.(fleet) ?? [];
  const load = scene.load(pace.perSecond, randomOf(seed, name, 'jobs'));
  try {
    const blows = await doFaults(scenario, ground, scene, load, options);
    await load.untilAccepted(pace.jobs);
    await load.stop();
    const endOfLoad = Date.now();
    say(`${load.accepted.size} jobs accepted; waiting until all are finished`);
    await allFinished(databaseUrl, pace.patienceMs);
    await watchers.close(WATCHERS_PATIENCE_MS);

    const [jobs, changes] = await Promise.all([readJobs(databaseUrl), readChanges(databaseUrl)]);
    const runs = await ground.runs.of(name); // read after the jobs: the run of a finished job is over
    const accepted = [...load.accepted.values()];
    const numbers = new Map(jobs.map(({ id, job }) => [id, job]));
    const verdict = judge({
      ...{ accepted, jobs, changes, runs, allowed },
      watched: watchers.heard,
      maxAttempts: MAX_ATTEMPTS,
    });
    return {
      ...verdict,
      failures: [...broken, ...verdict.failures, ...fleet.surprises],
      recoveries: recoveries(blows, { runs, changes, jobOf: (id) => numbers.get(id), endOfLoad }),
      lateMs: lateness(jobs, changes, runs),
      refused: load.refused,
    };
  } finally {
    load.abandon();
    await watchers.close(0);
  }
}

/** Causes the faults. @returns the moment of each */
async function doFaults(
  { name, fault, repeated }: Scenario,
  { broker, postgres, ledger }: Ground,
  { fleet, databaseUrl }: OpenScene,
  load: Load,
  { pace, seed, say }: PlayOptions,
): Promise<Blow[]> {
  const blows: Blow[] = [];
  if (!fault) return blows;
  // Flush, so that a killed broker comes back with its queues: see TestBroker.flush.
  await Promise.all([broker.flush(), delay(pace.calmMs)]);
  const random = randomOf(seed, name, 'faults');
  const strike = (what: string, stranded: readonly number[] = []): void => {
    blows.push({ what, at: Date.now(), stranded });
    say(what);
  };
  for (let round = 0; round < (repeated ? pace.rounds : 1); round += 1) {
    const runsAgain = (): number => ledger.runsAgain(name);
    await fault({ fleet, broker, postgres, databaseUrl, load, pace, random, runsAgain, strike });
    await delay(pace.calmMs);
  }
  return blows;
}

/** Resolves when all jobs are finished and no dispatch message is pending, or when the time is over. */
export async function allFinished(url: string, patienceMs: number): Promise<void> {
  for (const until = performance.now() + patienceMs; performance.now() < until; await delay(200)) {
    const { jobs, dispatches } = await unfinished(url).catch(() => ({ jobs: NaN, dispatches: NaN }));
    if (jobs === 0 && dispatches === 0) break;
  }
  await delay(500); // lets a job that wrongly runs again begin
}

function lateness(
  jobs: readonly { id: string; job: number }[],
  changes: readonly Change[],
  runs: readonly Run[],
): number[] {
  const dueAt = new Map(changes.filter(({ from }) => from === null).map((change) => [change.jobId, change.dueAt]));
  const firstStart = new Map([...runs].reverse().map(({ job, startedAt }) => [job, startedAt]));
  return jobs.flatMap(({ id, job }) => {
    const [due, start] = [dueAt.get(id), firstStart.get(job)];
    return isDelayed(job) && due !== undefined && start !== undefined ? [start - due] : [];
  });
}
