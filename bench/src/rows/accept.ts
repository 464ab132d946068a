import { setTimeout as delay } from 'node:timers/promises';
import type { ProgramProcess } from '../app-process.ts';
import { miscounted } from '../figures/summary.ts';
import { processorTimes, residentMiB } from '../ground/processor-time.ts';
import type { LoadResult } from '../ground/wrk.ts';
import { send, type Request, type System } from '../systems/system.ts';
import { eachRound, type Bench } from './bench.ts';
import { measureFloor } from './floor.ts';

const BATCH = 100;
const BATCH_CONNECTIONS = 8;
/** Milliseconds without a new job after which a store is at rest. */
const REST_MS = 200;

/** Measures jobs over HTTP: one in each request, with three numbers of connections, and in batches; and their costs. */
export async function measureAccept(bench: Bench): Promise<void> {
  // graphile-worker's api is the same with and without batches in its worker.
  const systems = Object.values(bench.systems).filter((system) => system !== bench.systems.graphileBatched);
  await eachRound(bench, 'accept', systems, (system) => acceptOnce(bench, system));
}

async function acceptOnce(bench: Bench, system: System): Promise<void> {
  const { plan, figures, sendLoad } = bench;
  const api = await system.startApi();
  try {
    figures.add(system.name, { startApi: api.startedMs, memoryApiIdle: residentMiB(api.pid) });
    await send(api.url, system.one()); // throws unless the answer is 202
    await sendLoad({ ...addressed(api, system.one()), connections: 64, seconds: plan.warmUpSeconds });

    // Measured beside the peers, because the speed of a disk changes within a minute.
    const isOurs = system === bench.systems.offload;
    if (isOurs) await measureFloor(bench);
    const narrow = await acceptAt(bench, system, api, 1);
    if (isOurs) await measureFloor(bench);
    figures.add(system.name, {
      ...{ accepted1: narrow.perSecond, acceptedP50At1: narrow.p50Ms, acceptedP99At1: narrow.p99Ms },
      settledAfter1: narrow.settledMs,
    });
    const middle = await acceptAt(bench, system, api, 64);
    figures.add(system.name, {
      ...{ accepted64: middle.perSecond, acceptedP50At64: middle.p50Ms, acceptedP99At64: middle.p99Ms },
      ...{ settledAfter64: middle.settledMs, cpuApi: middle.cpuMs.api, transactionsAccept: middle.transactions },
      ...{ cpuAcceptPostgres: middle.cpuMs.postgres, cpuAcceptRabbitmq: middle.cpuMs.rabbitmq },
      cpuAcceptRedis: middle.cpuMs.redis,
    });
    const wide = await acceptAt(bench, system, api, 512);
    figures.add(system.name, {
      ...{ accepted512: wide.perSecond, acceptedP50At512: wide.p50Ms, acceptedP99At512: wide.p99Ms },
      ...{ settledAfter512: wide.settledMs, memoryApi: residentMiB(api.pid) },
    });

    if (!system.can.store) return;
    const load = { ...addressed(api, system.many(BATCH)), connections: BATCH_CONNECTIONS, seconds: plan.batchSeconds };
    const { perSecond } = await countedLoad(system, BATCH, () => sendLoad(load));
    figures.add(system.name, { batch: perSecond * BATCH });
  } finally {
    await api.end();
  }
}

/** The result of a load. CPU and transactions are for one job, until it can run. */
export interface Accepted extends LoadResult {
  /** Milliseconds from the end of the load until all jobs can run; NaN where an answer means that. */
  settledMs: number;
  cpuMs: Record<'api' | 'postgres' | 'rabbitmq' | 'redis', number>;
  transactions: number;
}

/** @param request the request to send, with the number of its jobs. @default one job */
export async function acceptAt(
  { ground, plan, sendLoad }: Pick<Bench, 'ground' | 'plan' | 'sendLoad'>,
  system: System,
  api: ProgramProcess,
  connections: number,
  request: Request = system.one(),
  jobs = 1,
): Promise<Accepted> {
  const pids = { ...ground.pids, api: api.pid };
  await system.settled();
  const transactionsBefore = await system.transactions();
  let settledMs = NaN;
  let before = processorTimes(pids);
  let after = before;
  const load = { ...addressed(api, request), connections, seconds: plan.loadSeconds };
  const result = await countedLoad(system, jobs, async () => {
    before = processorTimes(pids); // excludes the cost of counting the jobs
    const sent = await sendLoad(load);
    const from = performance.now();
    await system.settled();
    settledMs = performance.now() - from;
    after = processorTimes(pids);
    return sent;
  });
  const each = (name: keyof typeof pids) => (after[name] - before[name]) / (result.accepted * jobs);
  return {
    ...result,
    settledMs: system.usesOutbox ? settledMs : NaN,
    cpuMs: { api: each('api'), postgres: each('postgres'), rabbitmq: each('rabbitmq'), redis: each('redis') },
    transactions: ((await system.transactions()) - transactionsBefore) / (result.accepted * jobs),
  };
}

/** @throws Error when an accepted job is not stored, or a stored job was never sent */
async function countedLoad(system: System, jobs: number, load: () => Promise<LoadResult>): Promise<LoadResult> {
  if (!system.can.store) return load();
  const before = await storedAtRest(system);
  const result = await load();
  const stored = (await storedAtRest(system)) - before;
  const { lost, phantom } = miscounted({ accepted: result.accepted * jobs, sent: result.sent * jobs, stored });
  if (lost + phantom > 0)
    throw new Error(`${lost} accepted jobs are not stored, ${phantom} stored jobs were never sent`);
  return result;
}

/** Number of stored jobs at rest: requests that were in flight at the end of a load are stored later. */
async function storedAtRest(system: System): Promise<number> {
  for (let stored = await system.stored(); ;) {
    await delay(REST_MS);
    const now = await system.stored();
    if (now === stored) return now;
    stored = now;
  }
}

function addressed({ url }: ProgramProcess, { path, body }: Request): { url: string; body: string } {
  return { url: url + path, body };
}
