// `npm run backlog`: posts a million jobs in batches, which one worker then runs. It measures the memory of the api,
// the time to show a job, its position and the queues, and the number of dispatch messages that the api regards as
// lost. It writes docs/performance.md, and exits with 1 when a bound is missed. `npm run backlog -- --jobs 50000` is
// smaller and prints only.
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { JobsTaken } from '@offload/jobs/answers';
import { startServers } from '@offload/spec-kit/servers';
import pg from 'pg';
import { build, migrate, startApp, type AppProcess } from './app-process.ts';
import { residentMiB } from './ground/processor-time.ts';
import { countLatencies, type Latencies } from './latencies.ts';
import { circumstances, table, writeSection } from './performance-page.ts';
import { HELLO } from './systems/system.ts';

const STANDARD = 1_000_000;
const BATCH = 1_000;
const SENDERS = 4;
const CONCURRENCY = 100;
/** Pause between two reads while the worker runs the backlog, in milliseconds. */
const LOOK_MS = 100;
/** The options in deploy/Dockerfile. */
const OPTIONS = ['--max-semi-space-size=8'];
const BOUNDS = { medianMs: 20, worstMs: 100, mib: 300 };

const { jobs } = parseArgs({ options: { jobs: { type: 'string', default: String(STANDARD) } } }).values;
const count = Number(jobs);
if (!(Number.isInteger(count / BATCH) && count >= 10_000)) throw new Error('--jobs must be thousands, 10000 at least');

await Promise.all([build('api'), build('worker')]);
const servers = await startServers(() => undefined);
const env = {
  DATABASE_URL: Object.assign(new URL(servers.databaseUrl), { pathname: '/backlog' }).href,
  AMQP_URL: servers.amqpUrl,
  MAX_BACKLOG: '100000000',
  RETENTION_DAYS: '0',
};
const pool = new pg.Pool({ connectionString: env.DATABASE_URL });
pool.on('error', () => undefined);
const apps: AppProcess[] = [];
let missed = false;
try {
  await migrate(env);
  const version = (await pool.query<{ server_version: string }>('show server_version')).rows[0]?.server_version;
  const api = await startApp('api', { ...env, API_PORT: '0' }, OPTIONS);
  apps.push(api);
  const fresh = residentMiB(api.pid);
  const filled = await watchMemory(api, () => fill(api));
  const settled = await watchMemory(api, untilDispatched);
  const worker = startApp('worker', { ...env, WORKER_PORT: '0', WORKER_CONCURRENCY: String(CONCURRENCY) }, OPTIONS);
  apps.push(await worker);
  const drained = await watchMemory(api, () => watchDraining(api, filled.value.ids));
  const figures = await api.figures();
  const lost = figures('offload_reconciled_total{status="queued"}') || 0;
  const dispatchedTwice = figures('offload_broker_messages_total{step="published",where="jobs"}') - count;

  const most = Math.max(filled.mib, settled.mib, drained.mib);
  missed ||= !(most < BOUNDS.mib && lost === 0 && dispatchedTwice === 0);
  const calls = Object.entries(drained.value.latencies).map(([what, times]) => callRow(what, times));
  const mib = [fresh, filled.mib, settled.mib, drained.mib].map((each) => each.toFixed(0)).join(', ');
  const content = [
    `${thousands(count)} jobs that do nothing, posted in batches of ${thousands(BATCH)} by ${SENDERS} clients, then run by one worker:`,
    table([
      ['what', 'measured', 'bound'],
      ['jobs posted a second', thousands(count / filled.seconds), ''],
      ['from the last post until all are dispatched, s', settled.seconds.toFixed(1), ''],
      ['jobs run a second', thousands(count / drained.seconds), ''],
      ['most resident memory of the api: fresh, posting, dispatching, draining, MiB', mib, `under ${BOUNDS.mib}`],
      ['dispatch messages declared lost', thousands(lost), '0'],
      ['dispatch messages beyond one for each job', thousands(dispatchedTwice), '0'],
    ]),
    table([
      ['request while the worker runs the jobs', 'requests', 'median, ms', 'p99, ms', 'worst, ms', 'bound'],
      ...calls,
    ]),
    circumstances([`PostgreSQL ${version}`]),
  ].join('\n\n');
  console.log(content);
  if (count === STANDARD) await writeSection('backlog', content);
  process.exitCode = missed ? 1 : 0;
} finally {
  await Promise.all(apps.map((app) => app.end()));
  await pool.end();
  await servers.stop();
}

/** Posts all jobs. @returns their ids, in the order in which they run */
async function fill({ url }: AppProcess): Promise<{ ids: string[] }> {
  const ids: string[] = [];
  const body = JSON.stringify({ jobs: Array(BATCH).fill({ type: 'demo.echo', payload: HELLO }) });
  const headers = { 'content-type': 'application/json' };
  let left = count / BATCH;
  const sender = async (): Promise<void> => {
    while (left-- > 0) {
      const response = await fetch(`${url}/v1/jobs/batch`, { method: 'POST', headers, body });
      if (response.status !== 202) throw new Error(`${response.status}: ${await response.text()}`);
      ids.push(...((await response.json()) as JobsTaken).jobs.map(({ id }) => id));
    }
  };
  await Promise.all(Array.from({ length: SENDERS }, sender));
  return { ids: ids.sort() };
}

async function untilDispatched(): Promise<void> {
  while ((await pool.query('select from outbox limit 1')).rowCount !== 0) await delay(LOOK_MS);
}

/** Requests, again and again, the next job, a job far behind, a finished job, and the queues. */
async function watchDraining({ url }: AppProcess, ids: string[]): Promise<{ latencies: Record<string, Latencies> }> {
  const names = [
    'a finished job',
    'a queued job, soon to run',
    'a queued job, far behind',
    '`GET /v1/queues`',
  ] as const;
  const latencies = Object.fromEntries(names.map((name) => [name, countLatencies()]));
  let done = 0;
  const ask = async (name: (typeof names)[number], path: string): Promise<{ status?: string }> => {
    const from = performance.now();
    const response = await fetch(url + path);
    const answer = (await response.json()) as { status?: string };
    if (response.status !== 200) throw new Error(`${response.status} of ${path}`);
    latencies[name]?.add(performance.now() - from);
    return answer;
  };
  const at = (index: number): string => `/v1/jobs/${ids[Math.min(Math.floor(index), count - 1)]}`;
  while (done < count) {
    // Ids are nearly in the order of the runs, so this finds the finished jobs.
    while (done < count && (await ask('a finished job', at(done))).status === 'succeeded') done += BATCH;
    if (done >= count) break;
    await ask('a queued job, soon to run', at(done + BATCH + Math.random() * BATCH));
    await ask('a queued job, far behind', at(done + Math.random() * (count - done)));
    await ask('`GET /v1/queues`', '/v1/queues');
    await delay(LOOK_MS);
  }
  return { latencies };
}

async function watchMemory<Value>(
  { pid }: AppProcess,
  act: () => Promise<Value>,
): Promise<{ value: Value; mib: number; seconds: number }> {
  const from = performance.now();
  let mib = 0;
  const watch = setInterval(() => (mib = Math.max(mib, residentMiB(pid))), LOOK_MS / 2);
  try {
    const value = await act();
    return { value, seconds: (performance.now() - from) / 1_000, mib };
  } finally {
    clearInterval(watch);
  }
}

function callRow(what: string, times: Latencies): string[] {
  const [median, p99, worst] = [0.5, 0.99, 1].map((share) => times.at(share)) as [number, number, number];
  missed ||= !(median < BOUNDS.medianMs && worst < BOUNDS.worstMs);
  const bound = `median under ${BOUNDS.medianMs}, worst under ${BOUNDS.worstMs}`;
  return [what, thousands(times.size), median.toFixed(1), p99.toFixed(1), worst.toFixed(1), bound];
}

function thousands(value: number): string {
  return Math.round(value).toLocaleString('en');
}
