import { setTimeout as delay } from 'node:timers/promises';
import type { ProgramProcess } from '../app-process.ts';
import { rateAfterWarmUp } from '../figures/summary.ts';
import { processorTimes, residentMiB } from '../ground/processor-time.ts';
import { send, type System } from '../systems/system.ts';
import { whileRunning } from '../systems/while-running.ts';
import { eachRound, type Bench } from './bench.ts';

const BATCH = 100;
const SENDERS = 8;
const CONCURRENCY = 100;
/** Not more often: whoever is asked has something better to do. */
const POLL_MS = 250;
const TIMEOUT_MS = 120_000;

/** Jobs that do nothing, run by one worker process while its api has nothing else to do; and what that costs. */
export async function measureRunning(bench: Bench): Promise<void> {
  const systems = Object.values(bench.systems).filter(({ can }) => can.run);
  await eachRound(bench, 'run', systems, (system) => runOnce(bench, system));
}

async function runOnce({ ground, plan, figures }: Bench, system: System): Promise<void> {
  const count = Math.ceil((system.jobsToRun * plan.shareOfJobs) / BATCH) * BATCH;
  await whileRunning(system.startApi(), async (api) => {
    await fill(api, system, count);
    const transactionsBefore = await system.transactions();
    await whileRunning(system.startWorker({ concurrency: CONCURRENCY }), async (worker) => {
      const pids = { ...ground.pids, api: api.pid, worker: worker.pid };
      const doneBefore = await system.finished([worker]);
      const before = processorTimes(pids);
      await untilFinished(system, [worker], count);
      const after = processorTimes(pids);
      const memoryWorker = residentMiB(worker.pid);
      const each = (name: keyof typeof pids) => (after[name] - before[name]) / (count - doneBefore);
      figures.add(system.name, {
        ...{ run: rateAfterWarmUp(await system.finishedAt([worker])), memoryWorker },
        ...{ cpuWorker: each('worker'), cpuRunApi: each('api'), cpuRunPostgres: each('postgres') },
        ...{ cpuRunRabbitmq: each('rabbitmq'), cpuRunRedis: each('redis') },
      });
    });
    // Its connections have told all when they ended.
    figures.add(system.name, { transactionsRun: ((await system.transactions()) - transactionsBefore) / count });
    await system.verify(count);
  });
}

/** The rate alone, without a system's processes being watched. */
export function runningRate(system: System, count: number): Promise<number> {
  return whileRunning(system.startApi(), async (api) => {
    await fill(api, system, count);
    return whileRunning(system.startWorker({ concurrency: CONCURRENCY }), async (worker) => {
      await untilFinished(system, [worker], count);
      return rateAfterWarmUp(await system.finishedAt([worker]));
    });
  });
}

/** Has so many jobs accepted. @param count a multiple of 100 */
async function fill(api: ProgramProcess, system: System, count: number): Promise<void> {
  let left = count / BATCH;
  const request = system.many(BATCH);
  const sender = async (): Promise<void> => {
    while (left-- > 0) await send(api.url, request);
  };
  await Promise.all(Array.from({ length: SENDERS }, sender));
  await system.settled();
}

/** @throws Error when that takes two minutes */
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
