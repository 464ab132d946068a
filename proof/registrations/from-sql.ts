import { execFile } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { repository, sql, withClient } from '@offload/running-system';
import { finished, type Site } from '@offload/running-system/requests';
import { figure, median, ms, seconds } from '../figures.ts';
import type { Ground } from './types.ts';

const ROLLED_BACK = 100;
const COMMITTED = 50;
const MANY = 10_000;
const PATIENCE_MS = 300_000;

const run = promisify(execFile);

/** Measures `offload.submit` in transactions that are rolled back. */
export async function rolledBack({ system }: Ground): Promise<void> {
  const ids = await withClient(system.databaseUrl, async (client) => {
    const made: string[] = [];
    for (let n = 0; n < ROLLED_BACK; n += 1) {
      await client.query('begin');
      const { rows } = await client.query<{ id: string }>(`select offload.submit('demo.echo', '{}') as id`);
      made.push(...rows.map(({ id }) => id));
      await client.query('rollback');
    }
    return made;
  });
  const left = await sql<{ count: number }>(
    system.databaseUrl,
    `select (select count(*) from jobs where id = any($1)) + (select count(*) from outbox where job_id = any($1)) as count`,
    [ids],
  );
  const count = Number(left[0]?.count);
  const measured = `${count} jobs and dispatches`;
  figure(
    `offload.submit, rolled back, ${ROLLED_BACK} times`,
    measured,
    'none',
    ids.length === ROLLED_BACK && count === 0,
  );
}

/** Commits one job at a time, and measures until its handler is called, by the database's clock. */
export async function committed({ system, apis }: Ground): Promise<void> {
  const tookMs = await withClient(system.databaseUrl, async (client) => {
    const times: number[] = [];
    for (let n = 0; n < COMMITTED; n += 1) {
      await delay(Math.random() * 250); // the relay polls every 250 ms: avoid a fixed time after its poll
      await client.query('begin');
      const { rows } = await client.query<{ id: string; at: Date }>(
        `select offload.submit('demo.echo', '{}') as id, clock_timestamp() as at`,
      );
      const [{ id, at }] = rows as [{ id: string; at: Date }];
      await client.query('commit');
      const { startedAt } = await finished(apis[0] as Site, { id });
      times.push(Date.parse(startedAt as string) - at.getTime());
    }
    return times;
  });
  const measured = `${ms(median(tookMs))}, worst ${ms(Math.max(...tookMs))}`;
  const pass = Math.max(...tookMs) < 300;
  figure(`offload.submit, from commit to run, ${COMMITTED} times: median`, measured, 'each under 300 ms', pass);
}

/** Programs that submit many jobs in one transaction, each with its own tag. Rejects if the program is missing. */
const submitters: Record<string, (url: string) => Promise<unknown>> = {
  async pg(url) {
    await withClient(url, async (client) => {
      await client.query('begin');
      const call = `select offload.submit('demo.echo', '{}', tags => array['pg'])`;
      for (let n = 0; n < MANY; n += 1) await client.query({ name: 'submit', text: call });
      await client.query('commit');
    });
  },
  psql: (url) =>
    run('psql', [
      ...[url, '--quiet', '--set=ON_ERROR_STOP=1', '--command'],
      `select count(offload.submit('demo.echo', jsonb_build_object('message', n::text), tags => array['psql']))
       from generate_series(1, ${MANY}) as n`,
    ]),
  python: (url) =>
    run(process.env['PYTHON'] || 'python3', ['proof/registrations/submit_many.py', url, String(MANY)], {
      cwd: repository,
    }),
};

/** Submits 10,000 jobs in one transaction from each program. */
export async function manyAtOnce({ system }: Ground): Promise<void> {
  for (const [tag, submitAll] of Object.entries(submitters)) {
    const from = performance.now();
    try {
      await submitAll(system.databaseUrl);
    } catch (error) {
      if (tag === 'pg') throw error;
      process.stdout.write(`      not from ${tag}: ${(error as Error).message.trim().split('\n').at(-1)}\n`);
      continue;
    }
    const submitMs = performance.now() - from;
    await untilEnded(system.databaseUrl, tag);
    const ran = await sql<{ jobs: number; once: number }>(
      system.databaseUrl,
      `select count(*)::int as jobs, count(*) filter (where status = 'succeeded' and attempt = 1)::int as once
       from jobs where tags = array[$1]`,
      [tag],
    );
    const { jobs = 0, once = 0 } = ran[0] ?? {};
    const measured = `${once} in ${seconds(submitMs)}, all run ${seconds(performance.now() - from - submitMs)} later`;
    const pass = jobs === MANY && once === MANY;
    figure(`${MANY} jobs in one transaction, from ${tag}: run once`, measured, `${MANY}`, pass);
  }
}

async function untilEnded(url: string, tag: string): Promise<void> {
  const until = performance.now() + PATIENCE_MS;
  await withClient(url, async (client) => {
    for (;;) {
      const { rowCount } = await client.query(
        `select from jobs where tags = array[$1] and status in ('scheduled', 'queued', 'running') limit 1`,
        [tag],
      );
      if (rowCount === 0) return;
      if (performance.now() > until) throw new Error(`jobs of ${tag} are not finished after ${seconds(PATIENCE_MS)}`);
      await delay(100);
    }
  });
}
