import { setTimeout as delay } from 'node:timers/promises';
import { readChanges, readJobs } from './audit.ts';
import type { Ground } from './ground.ts';
import type { Load } from './load.ts';
import { orAbort } from './or-abort.ts';
import type { Pace } from './pace.ts';
import { allFinished, WATCHERS_PATIENCE_MS } from './play.ts';
import { between, type Random } from './random.ts';
import { MAX_ATTEMPTS, openScene, randomOf, type OpenScene } from './scene.ts';
import { duration, median, worst } from './statistics.ts';
import type { Measured } from './unit.ts';
import { judge } from './verdict.ts';

const NAME = 'without-broker';

/** Measures the api's answers while RabbitMQ is down, and whether all accepted jobs run when RabbitMQ is back. */
export async function measureWithoutBroker(
  ground: Ground,
  pace: Pace,
  seed: number,
  deadline: AbortSignal,
): Promise<Measured> {
  const scene = await openScene(ground, { name: NAME, reconcileMs: pace.reconcileMs });
  // Short jobs, so that the backlog is soon run.
  const ms = (random: Random) => between(random, 20, 60);
  const load = scene.load(pace.withoutBrokerPerSecond, randomOf(seed, NAME, 'jobs'), ms);
  try {
    return await orAbort(postWithoutBroker(scene, load, ground, pace), deadline);
  } finally {
    load.abandon();
    await scene.fleet.close();
  }
}

async function postWithoutBroker(
  { fleet, databaseUrl, watchers }: OpenScene,
  load: Load,
  { broker, runs }: Ground,
  pace: Pace,
): Promise<Measured> {
  await Promise.all([broker.flush(), delay(pace.calmMs)]);
  await broker.kill();
  const downFrom = Date.now();
  await delay(pace.withoutBrokerMs);
  const downUntil = Date.now();
  await broker.start();
  const backAt = Date.now();
  await load.stop();
  await allFinished(databaseUrl, pace.patienceMs);
  await watchers.close(WATCHERS_PATIENCE_MS);

  const [jobs, changes, ran] = await Promise.all([readJobs(databaseUrl), readChanges(databaseUrl), runs.of(NAME)]);
  const accepted = [...load.accepted.values()];
  const meanwhile = accepted.filter(({ at, tookMs }) => at - tookMs >= downFrom && at <= downUntil);
  const took = meanwhile.map(({ tookMs }) => tookMs);
  const answered = new Set(meanwhile.map(({ job }) => job));
  const lastStart = worst(ran.filter(({ job }) => answered.has(job)).map(({ startedAt }) => startedAt));
  const { failures } = judge({
    ...{ accepted, jobs, changes, runs: ran, maxAttempts: MAX_ATTEMPTS },
    watched: watchers.heard,
    allowed: ['worker lost', 'given back'], // those that ran when it was killed
  });
  const refused = Object.entries(load.refused).map(([why, count]) => `${count} × ${why}`);
  return {
    measured:
      `${meanwhile.length} jobs answered with 202 in ${duration(downUntil - downFrom)} ` +
      `(${refused.length === 0 ? 'none refused' : refused.join(', ')}). Post to 202: ${duration(median(took))} at the median, ` +
      `${duration(worst(took))} at worst. The last of these jobs started ${duration(lastStart - backAt)} after ` +
      'RabbitMQ was back',
    goal: 'every post is answered with 202, and every job runs afterwards',
    failures: [...failures, ...refused.map((each) => `posts without a 202: ${each}`), ...fleet.surprises],
  };
}
