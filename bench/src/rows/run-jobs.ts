import { setTimeout as delay } from 'node:timers/promises';
import type { ProgramProcess } from '../app-process.ts';
import { rateAfterWarmUp } from '../figures/summary.ts';
import type { Ground } from '../ground/ground.ts';
import { processorTimes, residentMiB } from '../ground/processor-time.ts';
import { send, type System } from '../systems/system.ts';
import { whileRunning } from '../systems/while-running.ts';
import { eachRound, type Bench } from './bench.ts';

const BATCH = 100;
const SENDERS = 8;
const CONCURRENCY = 100;
/** Interval between polls in milliseconds. More polls would disturb the measured process. */
const POLL_MS = 250;
const TIMEOUT_MS = 120_000;

/** Measures no-op jobs that one worker process runs while its api is idle, and their costs. */
export async function measureRunning(bench: Bench): Promise<void> {
  const systems = Object.values(bench.systems).filter(({ can }) => can.run);
  await eachRound(bench, 'run', systems, (system) => runOnce(bench, system));
}

async function runOnce({ ground, plan, figures }: Bench, system: System): Promise<void> {
  const count = Math.ceil((system.jobsToRun * plan.shareOfJobs) / BATCH) * BATCH;
  const { perSecond, memoryWorkerMiB, cpuMs, transactions } = await runJobs(ground, system, count);
  figures.add(system.name, {
    ...{ run: perSecond, memoryWorker: memoryWorkerMiB, transactionsRun: transactions },
    ...{ cpuWorker: cpuMs.worker, cpuRunApi: cpuMs.api, cpuRunPostgres: cpuMs.postgres },
    ...{ cpuRunRabbitmq: cpuMs.rabbitmq, cpuRunRedis: cpuMs.redis },
  });
  await system.verify(count);
}

/** The result of a run. CPU and transactions are for one job. */
export interface Ran {
  perSecond: number;
  memoryWorkerMiB: number;
  cpuMs: Record<'api' | 'worker' | 'postgres' | 'rabbitmq' | 'redis', number>;
  transactions: number;
}

/** @param count a multiple of 100 */
export function runJobs(ground: Pick<Ground, 'pids'>, system: System, count: number): Promise<Ran> {
  return whileRunning(system.startApi(), async (api) => {
    await fill(api, system, count);
    const transactionsBefore = await system.transactions();
    const ran = await whileRunning(system.startWorker({ concurrency: CONCURRENCY }), async (worker) => {
      const pids = { ...ground.pids, api: api.pid, worker: worker.pid };
      const doneBefore = await system.finished([worker]);
      const before = processorTimes(pids);
      await untilFinished(system, [worker], count);
      const after = processorTimes(pids);
      const memoryWorkerMiB = residentMiB(worker.pid);
      const each = (name: keyof typeof pids) => (after[name] - before[name]) / (count - doneBefore);
      const perSecond = rateAfterWarmUp(await system.finishedAt([worker]));
      const ours = { api: each('api'), worker: each('worker') };
      const servers = { postgres: each('postgres'), rabbitmq: each('rabbitmq'), redis: each('redis') };
      return { perSecond, memoryWorkerMiB, cpuMs: { ...ours, ...servers } };
    });
    // Its connections have reported all transactions at their end.
    return { ...ran, transactions: ((await system.transactions()) - transactionsBefore) / count };
  });
}

/** Measures the rate alone, without the costs. */
export function runningRate(system: System, count: number): Promise<number> {
  return whileRunning(system.startApi(), async (api) => {
    await fill(api, system, count);
    return whileRunning(system.startWorker({ concurrency: CONCURRENCY }), async (worker) => {
      await untilFinished(system, [worker], count);
      return rateAfterWarmUp(await system.finishedAt([worker]));
    });
  });
}

/** Submits jobs and waits until they are accepted. @param count a multiple of 100 */
async function fill(api: ProgramProcess, system: System, count: number): Promise<void> {
  let left = count / BATCH;
  const request = system.many(BATCH);
  const sender = async (): Promise<void> => {
    while (left-- > 0) await send(api.url, request);
  };
  await Promise.all(Array.from({ length: SENDERS }, sender));
  await system.settled();
}

/** Waits until all jobs are finished. @throws Error after two minutes */
export async function untilFinished(system: System, workers: readonly ProgramProcess[], count: number): Promise<void> {
  const from = performance.now();
  for (;;) {
    const finished = await system.finished(workers);
    if (finished >= count) return;
    if (performance.now() - from > TIMEOUT_MS)
      throw new Error(`${finished} of ${count} jobs are finished after 2 minutes`);
    await delay(POLL_MS);
  }
}
