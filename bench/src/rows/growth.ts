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

/** The name of the figures with this number of finished jobs in the table. */
export function grownName(size: number): string {
  return `Offload with ${size.toLocaleString('en')} finished jobs`;
}

/** Measures whether Offload stays fast while its table grows. */
export async function measureGrowth(bench: Bench): Promise<void> {
  const { ground, plan, say } = bench;
  const grown: Offload[] = [];
  for (const size of plan.sizes) {
    const database = `grown_${size}`;
    await remakeDatabase(ground.databaseUrl(database), OFFLOAD_TEMPLATE);
    const { jobs, bytes } = size > 0 ? await fill(ground.databaseUrl(database), size) : { jobs: 0, bytes: 0 };
    say(`growth: ${jobs.toLocaleString('en')} finished jobs are there, ${Math.round(bytes / 1024 ** 2)} MiB`);
    grown.push({ ...offload(ground, database), name: grownName(size) });
  }
  await eachRound(bench, 'growth', grown, (system) => measureGrown(bench, system as Offload));
  for (const size of plan.sizes) await ask(ground.databaseUrl('postgres'), `drop database grown_${size} with (force)`);
}

/** @returns the number of jobs with the small ones, and the size of the table with its indexes */
async function fill(url: string, size: number): Promise<{ jobs: number; bytes: number }> {
  const pool = new pg.Pool({ connectionString: url });
  try {
    await fillJobs(pool, size, { finished: true });
    await fillGaps(pool);
    await pool.query('vacuum analyze jobs');
    await pool.query('checkpoint'); // so that no checkpoint runs during a measurement
    const sql = `select count(*)::int as jobs, pg_total_relation_size('jobs')::float8 as bytes from jobs`;
    const { rows } = await pool.query<{ jobs: number; bytes: number }>(sql);
    return rows[0] ?? { jobs: NaN, bytes: NaN };
  } finally {
    await pool.end();
  }
}

/**
 * Stores small jobs until old pages have no room for them. In production, vacuum frees such room after each 50th part
 * of the table, and the next jobs use it. After one vacuum of the whole table, every measured job would go to another
 * old page.
 */
async function fillGaps(pool: pg.Pool): Promise<void> {
  const sql = `
    with pages as (select pg_relation_size('jobs') / current_setting('block_size')::int as count),
    made as (
      insert into jobs (id, type, queue, status, priority, tags, payload, attempt, max_attempts, timeout_ms, backoff, version,
        created_at, due_at, finished_at)
      select overlay(gen_random_uuid()::text placing '00000000-0000-7' from 1 for 15)::uuid, 'demo.echo', 'default', 'cancelled', 0,
        '{}', '{}', 0, 5, 60000, '{"baseMs":1000,"factor":2,"maxMs":300000}', 1, now(), now(), now()
      from generate_series(1, 20000)
      returning ctid
    )
    select count(*) filter (where (ctid::text::point)[0] < (select count from pages)) / 20000.0 as in_old_pages from made`;
  for (let share = 1; share > 0.01;) {
    const { rows } = await pool.query<{ in_old_pages: string }>(sql);
    share = Number(rows[0]?.in_old_pages);
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
