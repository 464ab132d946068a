import { type Environment, startSystem } from '@offload/running-system';
import type { Submission } from '@offload/running-system/requests';
import { installAudit } from './audit.ts';
import { startFleet, type Fleet } from './fleet.ts';
import type { Ground } from './ground.ts';
import { startLoad, type Load } from './load.ts';
import { between, seededRandom, type Random } from './random.ts';
import { openWatchers, type Watchers } from './watchers.ts';

/** Enough attempts for all faults. */
export const MAX_ATTEMPTS = 10;

const COUNT = { api: 2, worker: 3, notifier: 1 };
const CONCURRENCY = 10;
/** Every tenth job is delayed. */
const DELAYED_EVERY = 10;

/** Options of {@link openScene}. */
export interface SceneOptions {
  name: string;
  cuttable?: readonly string[];
  /** Milliseconds of a run that is not the first of its job. @default as the first */
  againMs?: number | undefined;
  environment?(place: string, amqpUrl: string): Environment;
  /** RECONCILE_MS of every process. @default the system's own */
  reconcileMs?: number | undefined;
}

/** A system under test on the prepared servers, with an audit in its database, without jobs. */
export interface OpenScene {
  readonly fleet: Fleet;
  readonly databaseUrl: string;
  /** Watchers of some of the load's jobs. */
  readonly watchers: Watchers;
  /** Starts a load. @param ms duration of a job in milliseconds. @default 20 to 500, at random */
  load(perSecond: number, random: Random, ms?: (random: Random) => number): Load;
}

/** Every 25th job is watched. */
const WATCHED_EVERY = 25;

/** Whether a job is delayed, by its number. Such a job is not dispatched at once. */
export function isDelayed(job: number): boolean {
  return job % DELAYED_EVERY === 0;
}

/** Opens the scene of a scenario. */
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

/** The random numbers for one purpose in one scenario. */
export function randomOf(seed: number, scenario: string, purpose: 'jobs' | 'faults'): Random {
  return seededRandom(seed, `${scenario} ${purpose}`);
}
