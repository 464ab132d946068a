import { type Environment, startSystem } from '@offload/running-system';
import type { Submission } from '@offload/running-system/requests';
import { installAudit } from './audit.ts';
import { startFleet, type Fleet } from './fleet.ts';
import type { Ground } from './ground.ts';
import { startLoad, type Load } from './load.ts';
import { between, seededRandom, type Random } from './random.ts';
import { openWatchers, type Watchers } from './watchers.ts';

/** Enough for whatever the faults may cost a job. */
export const MAX_ATTEMPTS = 10;

const COUNT = { api: 2, worker: 3, notifier: 1 };
const CONCURRENCY = 10;
/** Every tenth job is delayed. */
const DELAYED_EVERY = 10;

export interface SceneOptions {
  name: string;
  cuttable?: readonly string[];
  /** How long a run takes that is not the first of its job, in milliseconds. @default as long as the first */
  againMs?: number | undefined;
  environment?(place: string, amqpUrl: string): Environment;
  /** of every process @default the system's own */
  reconcileMs?: number | undefined;
}

/** A system under test on the prepared ground, with an audit in its database, and nothing to do yet. */
export interface OpenScene {
  readonly fleet: Fleet;
  readonly databaseUrl: string;
  /** of some of the load's jobs */
  readonly watchers: Watchers;
  /** @param ms how long a job takes @default 20 to 500, drawn at random */
  load(perSecond: number, random: Random, ms?: (random: Random) => number): Load;
}

/** One of so many jobs is watched. */
const WATCHED_EVERY = 25;

/** The job's number says whether it is delayed: then nobody dispatch messages it at once. */
export function isDelayed(job: number): boolean {
  return job % DELAYED_EVERY === 0;
}

export async function openScene(
  ground: Ground,
  { name, cuttable = [], againMs, environment, reconcileMs }: SceneOptions,
): Promise<OpenScene> {
  const url = await ground.prepare();
  const system = await startSystem({ databaseUrl: url, amqpUrl: ground.broker.amqpUrl });
  const fleet = await (async () => {
    await installAudit(url);
    return startFleet(system, {
      count: COUNT,
      cuttable,
      environment: (place, amqpUrl) => ({
        LOG_LEVEL: 'info',
        ALLOW_PRIVATE_TARGETS: 'true',
        WORKER_CONCURRENCY: String(CONCURRENCY),
        ...(reconcileMs === undefined ? {} : { RECONCILE_MS: String(reconcileMs) }),
        ...environment?.(place, amqpUrl),
      }),
    });
  })().catch(async (error: unknown) => {
    await system.stop();
    throw error;
  });

  function submission(job: number, random: Random, ms: (random: Random) => number): Submission {
    return {
      type: 'http.request',
      payload: { url: ground.ledger.address(name, job, Math.round(ms(random)), againMs) },
      maxAttempts: MAX_ATTEMPTS,
      timeoutMs: 20_000,
      backoff: { baseMs: 50, factor: 2, maxMs: 1_000 },
      ...(isDelayed(job) && { delayMs: Math.round(between(random, 300, 2_000)) }),
    };
  }

  const watchers = openWatchers(() => fleet.of('notifier').find(({ process }) => process)?.process);
  return {
    fleet,
    databaseUrl: url,
    watchers,
    load: (perSecond, random, ms = (drawn) => between(drawn, 20, 500)) =>
      startLoad({
        apis: fleet.apis,
        submission: (job) => submission(job, random, ms),
        perSecond,
        onAccepted: ({ job, id }) => job % WATCHED_EVERY === 1 && watchers.watch(id),
      }),
  };
}

/** The random numbers of one purpose in one scenario. */
export function randomOf(seed: number, scenario: string, purpose: 'jobs' | 'faults'): Random {
  return seededRandom(seed, `${scenario} ${purpose}`);
}
