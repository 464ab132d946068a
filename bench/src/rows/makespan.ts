import { send, type System } from '../systems/system.ts';
import { whileAllRunning, whileRunning } from '../systems/while-running.ts';
import { eachRound, type Bench } from './bench.ts';
import { untilFinished } from './run-jobs.ts';

const WORKERS = 4;
const CONCURRENCY = 10;
const JOBS = 200;
const SECONDS = 2;
/** Jobs before the measurement, so that no process runs its code for the first time. */
const WARM_UP = { jobs: 200, seconds: 0.05 };

/** Seconds that the jobs need without any overhead. */
export const IDEAL_S = (JOBS * SECONDS) / (WORKERS * CONCURRENCY);

/** Runs jobs of two seconds on four workers: from the 202 of the batch until the last job is finished. */
export async function measureMakespan(bench: Bench): Promise<void> {
  const { offload, bullmqEverysec } = bench.systems;
  await eachRound(bench, 'makespan', [offload, bullmqEverysec], async (system) => {
    bench.figures.add(system.name, { makespan: await makespanOf(system) });
  });
}

async function makespanOf(system: System): Promise<number> {
  const start = () => system.startWorker({ concurrency: CONCURRENCY });
  return whileRunning(system.startApi(), (api) =>
    whileAllRunning(Array.from({ length: WORKERS }, start), async (workers) => {
      await send(api.url, system.manySleeping(WARM_UP.jobs, WARM_UP.seconds));
      await untilFinished(system, workers, WARM_UP.jobs);
      const { atMs } = await send(api.url, system.manySleeping(JOBS, SECONDS));
      await untilFinished(system, workers, WARM_UP.jobs + JOBS);
      return (Math.max(...(await system.finishedAt(workers))) - atMs) / 1_000;
    }),
  );
}
