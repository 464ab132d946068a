// `npm run waiting`: measures how soon a waiting client (`Prefer: wait`) gets its answer after its job is finished, and
// how much memory 2,000 waiting clients cost an api. It exits with 1 when a bound is missed or an answer is wrong.
import { cpus } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import type { JobsTaken, JobWithLinks } from '@offload/jobs/answers';
import { startServers } from '@offload/spec-kit/servers';
import { build, migrate, startApp, type AppProcess } from './app-process.ts';

const SLEEPERS = 40;
const SLEEP_S = 10;
/** Clients that wait at once: half with GET for a job that is cancelled, half with POST for a job that runs. */
const WAITERS = 2_000;
const BOUNDS = { answerMs: 200, residentMib: 100 };
/** Cancellations at once. */
const CANCELLING = 20;
const MIB = 1024 * 1024;

interface Memory {
  resident: number;
  /** Heap and buffers. */
  heap: number;
}
interface Answer {
  status: number;
  job: JobWithLinks;
  held: string | null;
  /** Time of arrival, by this machine's clock, which also gives `finishedAt`. */
  at: number;
}

await build('api');
await build('worker');
const started: AppProcess[] = [];
const servers = await startServers(() => undefined);
const env = {
  DATABASE_URL: Object.assign(new URL(servers.databaseUrl), { pathname: '/waiting' }).href,
  AMQP_URL: servers.amqpUrl,
};
let missed = false;
try {
  await migrate(env);
  const api = await start('api', { API_PORT: '0', MAX_WAITERS: String(WAITERS) });
  console.log(`Node.js ${process.version}, ${cpus().length} × ${cpus()[0]?.model}\n`);
  const fresh = await memory(api);
  table(await sleepers(api));
  table(await crowd(api, fresh));
  process.exitCode = missed ? 1 : 0;
} finally {
  await Promise.all(started.map((app) => app.end()));
  await servers.stop();
}

/** Submits ten-second jobs, each with a client that waits. */
async function sleepers(api: AppProcess): Promise<Row[]> {
  const worker = await start('worker', { WORKER_PORT: '0', WORKER_CONCURRENCY: String(SLEEPERS) });
  const one = async (): Promise<[afterEndMs: number, wholeMs: number]> => {
    const from = performance.now();
    const { status, job, held, at } = await ask(api, '/v1/jobs', 15, sleep(SLEEP_S));
    if (status !== 200 || job.status !== 'succeeded' || held !== 'wait=15') throw new Error(`${status}: ${job.status}`);
    return [at - Date.parse(job.finishedAt ?? ''), performance.now() - from];
  };
  const asked: Promise<[number, number]>[] = [];
  for (let count = 0; count < SLEEPERS; count += 1) {
    asked.push(one());
    await delay(97); // they end one by one, too
  }
  const took = await Promise.all(asked);
  await worker.end();
  const after = took.map(([ms]) => ms);
  const more = took.map(([, ms]) => ms - SLEEP_S * 1_000);
  return [
    [`${SLEEPERS} posts of a ten-second job with \`wait=15\``, 'median', 'worst', 'bound'],
    row('from `finishedAt` to the answer, ms', after, BOUNDS.answerMs),
    row('from the post to the answer, beyond ten seconds, ms', more),
  ];
}

/** Lets as many clients wait as the api allows, and then finishes all their jobs. */
async function crowd(api: AppProcess, fresh: Memory): Promise<Row[]> {
  const half = WAITERS / 2;
  await ask(api, '/v1/jobs', 0, sleep(0));
  const later = await postBatch(api, half);
  await Promise.all(later.map(({ id }) => ask(api, `/v1/jobs/${id}`, 0))); // it has had as many connections before
  await api.collect();
  const before = await memory(api);

  const gets = later.map(({ id }) => ask(api, `/v1/jobs/${id}`, 60));
  const posts = later.map(() => ask(api, '/v1/jobs', 60, sleep(0)));
  while ((await api.figures())('offload_waiters') < WAITERS) await delay(50);
  const waiting = await memory(api);
  await api.collect();
  const inUse = await memory(api);

  const began = Date.now();
  const worker = start('worker', { WORKER_PORT: '0', WORKER_CONCURRENCY: '50' });
  await cancelAll(api, later);
  const answers = await Promise.all([...gets, ...posts]);
  await worker;
  const last = Math.max(...answers.map(({ at }) => at));
  const gaps = answers.map(({ at, job }) => at - Date.parse(job.finishedAt ?? ''));
  await api.collect();
  const after = await memory(api);

  const right = answers.filter(({ status, job, held }, at) => {
    const expected = at < half ? job.status === 'cancelled' && job.id === later[at]?.id : job.status === 'succeeded';
    return status === 200 && held === 'wait=60' && expected;
  });
  const jobs = new Set(answers.map(({ job }) => job.id)).size;
  missed ||= right.length !== WAITERS || jobs !== WAITERS;
  const grown = (waiting.resident - before.resident) / MIB;
  missed ||= !(grown < BOUNDS.residentMib);
  const mib = (bytes: number) => (bytes / MIB).toFixed(1);
  const each = (bytes: number) => `${(bytes / 1_024 / WAITERS).toFixed(1)} KiB`;
  return [
    [
      `${WAITERS} requests with \`wait=60\` at one api`,
      'started',
      'before',
      'waiting',
      'answered',
      'a waiter',
      'bound',
    ],
    [
      'resident, MiB',
      ...[fresh, before, waiting, after].map(({ resident }) => mib(resident)),
      ...[each(waiting.resident - before.resident), `${BOUNDS.residentMib} above before`],
    ],
    [
      'heap and buffers in use, MiB',
      '',
      ...[before, inUse, after].map(({ heap }) => mib(heap)),
      ...[each(inUse.heap - before.heap), ''],
    ],
    [`right answers: 200 with their own finished job`, '', '', '', String(right.length), '', String(WAITERS)],
    ['from the first cancellation to the last answer, s', '', '', '', ((last - began) / 1_000).toFixed(1), '', ''],
    ['from `finishedAt` to the answer, median, ms', '', '', '', middle(gaps).toFixed(0), '', ''],
    ['... worst, ms', '', '', '', Math.max(...gaps).toFixed(0), '', ''],
  ];
}

function sleep(seconds: number): object {
  return { type: 'demo.sleep', payload: { seconds } };
}

/** Sends GET, or POST with a body, that prefers to wait. */
async function ask({ url }: AppProcess, path: string, seconds: number, body?: object): Promise<Answer> {
  const response = await fetch(url + path, {
    method: body ? 'POST' : 'GET',
    headers: { prefer: `wait=${seconds}`, 'content-type': 'application/json' },
    body: body ? JSON.stringify(body) : null,
  });
  const job = (await response.json()) as JobWithLinks;
  const at = performance.timeOrigin + performance.now();
  return { status: response.status, job, held: response.headers.get('preference-applied'), at };
}

/** Submits jobs that are due in an hour. */
async function postBatch({ url }: AppProcess, count: number): Promise<JobWithLinks[]> {
  const jobs = Array(count).fill({ ...sleep(0), delayMs: 3_600_000 });
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${url}/v1/jobs/batch`, { method: 'POST', headers, body: JSON.stringify({ jobs }) });
  return ((await response.json()) as JobsTaken).jobs;
}

async function cancelAll({ url }: AppProcess, jobs: readonly JobWithLinks[]): Promise<void> {
  const left = [...jobs];
  const client = async (): Promise<void> => {
    for (let job = left.pop(); job; job = left.pop()) {
      await (await fetch(`${url}/v1/jobs/${job.id}/cancel`, { method: 'POST' })).arrayBuffer();
    }
  };
  await Promise.all(Array.from({ length: CANCELLING }, client));
}

async function memory(api: AppProcess): Promise<Memory> {
  const figure = await api.figures();
  return {
    resident: figure('process_resident_memory_bytes'),
    heap: figure('nodejs_heap_size_used_bytes') + figure('nodejs_external_memory_bytes'),
  };
}

/** Starts a process. Resolves when it is ready. */
async function start(app: 'api' | 'worker', more: Record<string, string>): Promise<AppProcess> {
  const running = await startApp(app, { ...env, ...more });
  started.push(running);
  return running;
}

type Row = string[];

function row(what: string, ms: readonly number[], bound?: number): Row {
  const worst = Math.max(...ms);
  if (bound !== undefined) missed ||= !(worst < bound);
  return [what, middle(ms).toFixed(0), worst.toFixed(0), bound === undefined ? '' : `under ${bound}`];
}

function middle(values: readonly number[]): number {
  return [...values].sort((one, other) => one - other)[Math.floor(values.length / 2)] ?? NaN;
}

function table([head = [], ...rows]: Row[]): void {
  console.log(`| ${head.join(' | ')} |\n|${head.map(() => '---|').join('')}`);
  for (const each of rows) console.log(`| ${each.join(' | ')} |`);
  console.log('');
}
