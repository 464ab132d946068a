import pg from 'pg';
import { fillJobs } from '../fill-jobs.ts';
import { quantile } from '../figures/summary.ts';
import { ask, remakeDatabase } from '../ground/ask.ts';
import { offload, OFFLOAD_TEMPLATE, type Offload } from '../systems/offload.ts';
import { acceptAt } from './accept.ts';
import { eachRound, type Bench } from './bench.ts';
import { pickUpTimes } from './pick-up.ts';
import { runningRate } from './run-jobs.ts';

const JOBS_TO_RUN = 10_000;

/** The name under which the figures with so many finished jobs in the table stand. */
export function grownName(size: number): string {
  return `Offload with ${size.toLocaleString('en')} finished jobs`;
}

/** Whether it stays as quick while the table grows. */
export async function measureGrowth(bench: Bench): Promise<void> {
  const { ground, plan, say } = bench;
  const grown: Offload[] = [];
  for (const size of plan.sizes) {
    const database = `grown_${size}`;
    await remakeDatabase(ground.databaseUrl(database), OFFLOAD_TEMPLATE);
    const bytes = size > 0 ? await fill(ground.databaseUrl(database), size) : 0;
    say(`growth: ${size.toLocaleString('en')} finished jobs are there, ${Math.round(bytes / 1024 ** 2)} MiB`);
    grown.push({ ...offload(ground, database), name: grownName(size) });
  }
  await eachRound(bench, 'growth', grown, (system) => measureGrown(bench, system as Offload));
  for (const size of plan.sizes) await ask(ground.databaseUrl('postgres'), `drop database grown_${size} with (force)`);
}

/** @returns the size of the table with its indexes, in bytes */
async function fill(url: string, size: number): Promise<number> {
  const pool = new pg.Pool({ connectionString: url });
  try {
    const { bytes } = await fillJobs(pool, size, { finished: true });
    await pool.query('checkpoint'); // the disk is not to be busy with it while something is measured
    return bytes;
  } finally {
    await pool.end();
  }
}

async function measureGrown(bench: Bench, system: Offload): Promise<void> {
  const { plan, figures, sendLoad } = bench;
  const again = async (): Promise<void> => {
    await system.removeNewJobs();
    await system.reset();
  };

  const api = await system.startApi();
  try {
    const { path, body } = system.one();
    await sendLoad({ url: api.url + path, body, connections: 64, seconds: plan.warmUpSeconds });
    figures.add(system.name, { grownAccepted: (await acceptAt(bench, system, api, 64)).perSecond });
  } finally {
    await api.end();
  }
  await again();
  figures.add(system.name, { grownRun: await runningRate(system, JOBS_TO_RUN * plan.shareOfJobs) });
  await again();
  const times = await pickUpTimes(system, plan.pickUps);
  figures.add(system.name, { grownPickUpP50: quantile(times, 0.5), grownPickUpP99: quantile(times, 0.99) });
  await again();
}
