// `npm run waiting`: how soon a client that waits (`Prefer: wait`) is answered when its job is finished, and what 2,000
// that wait at one api cost in memory. Ends with 1 when a bound is missed, or an answer is not what it should be.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import type { JobsTaken, JobWithLinks } from '@offload/jobs/answers';
import { startServers } from '@offload/testing/servers';

const SLEEPERS = 40;
const SLEEP_S = 10;
/** Of those that wait at once, half with GET for a job that is cancelled, half with POST for one that is run. */
const WAITERS = 2_000;
const BOUNDS = { answerMs: 200, residentMib: 100 };
/** Cancellations under way at once. */
const CANCELLING = 20;
const MIB = 1024 * 1024;

const root = join(import.meta.dirname, '../..');
/** Collects garbage on demand, so that memory in use can be told from memory that was. */
const collector = `data:text/javascript,process.on('SIGUSR2',()=>{gc();console.log('{"msg":"collected"}')})`;

interface Running {
  url: string;
  pid: number;
  collect(): Promise<void>;
}
interface Memory {
  resident: number;
  /** and buffers */
  heap: number;
}
interface Answer {
  status: number;
  job: JobWithLinks;
  held: string | null;
  /** when it was here, by the clock that also gives `finishedAt`: that of this machine */
  at: number;
}

const started: ChildProcess[] = [];
const servers = await startServers(() => undefined);
const env = {
  DATABASE_URL: Object.assign(new URL(servers.databaseUrl), { pathname: '/waiting' }).href,
  AMQP_URL: servers.amqpUrl,
  PATH: process.env['PATH'] ?? '',
};
let missed = false;
try {
  await once(run('libs/database/src/run-migrations.ts', {}), 'exit');
  const api = await start('api', { API_PORT: '0', MAX_WAITERS: String(WAITERS) });
  console.log(`Node.js ${process.version}, ${cpus().length} × ${cpus()[0]?.model}\n`);
  const fresh = await memory(api);
  table(await sleepers(api));
  table(await crowd(api, fresh));
  process.exitCode = missed ? 1 : 0;
} finally {
  await Promise.all(started.map(end));
  await servers.stop();
}

/** Ten-second jobs, each of which its client waits for. */
async function sleepers(api: Running): Promise<Row[]> {
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
  await end(started.find(({ pid }) => pid === worker.pid));
  const after = took.map(([ms]) => ms);
  const more = took.map(([, ms]) => ms - SLEEP_S * 1_000);
  return [
    [`${SLEEPERS} posts of a ten-second job with \`wait=15\``, 'median', 'worst', 'bound'],
    row('from `finishedAt` to the answer, ms', after, BOUNDS.answerMs),
    row('from the post to the answer, beyond ten seconds, ms', more),
  ];
}

/** As many as may wait, and then all their jobs end. */
async function crowd(api: Running, fresh: Memory): Promise<Row[]> {
  const half = WAITERS / 2;
  await ask(api, '/v1/jobs', 0, sleep(0));
  const later = await postBatch(api, half);
  await Promise.all(later.map(({ id }) => ask(api, `/v1/jobs/${id}`, 0))); // it has had as many connections before
  await api.collect();
  const before = await memory(api);

  const gets = later.map(({ id }) => ask(api, `/v1/jobs/${id}`, 60));
  const posts = later.map(() => ask(api, '/v1/jobs', 60, sleep(0)));
  while ((await figure(api, 'offload_waiters')) < WAITERS) await delay(50);
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

/** GET, or POST of a body, that prefers to wait. */
async function ask({ url }: Running, path: string, seconds: number, body?: object): Promise<Answer> {
  const response = await fetch(url + path, {
    method: body ? 'POST' : 'GET',
    headers: { prefer: `wait=${seconds}`, 'content-type': 'application/json' },
    body: body ? JSON.stringify(body) : null,
  });
  const job = (await response.json()) as JobWithLinks;
  const at = performance.timeOrigin + performance.now();
  return { status: response.status, job, held: response.headers.get('preference-applied'), at };
}

/** Jobs that are not due for an hour. */
async function postBatch({ url }: Running, count: number): Promise<JobWithLinks[]> {
  const jobs = Array(count).fill({ ...sleep(0), delayMs: 3_600_000 });
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${url}/v1/jobs/batch`, { method: 'POST', headers, body: JSON.stringify({ jobs }) });
  return ((await response.json()) as JobsTaken).jobs;
}

async function cancelAll({ url }: Running, jobs: readonly JobWithLinks[]): Promise<void> {
  const left = [...jobs];
  const client = async (): Promise<void> => {
    for (let job = left.pop(); job; job = left.pop()) {
      await (await fetch(`${url}/v1/jobs/${job.id}/cancel`, { method: 'POST' })).arrayBuffer();
    }
  };
  await Promise.all(Array.from({ length: CANCELLING }, client));
}

async function figure({ url }: Running, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1]);
}

async function memory(api: Running): Promise<Memory> {
  const heap = (await figure(api, 'nodejs_heap_size_used_bytes')) + (await figure(api, 'nodejs_external_memory_bytes'));
  return { resident: await figure(api, 'process_resident_memory_bytes'), heap };
}

/** A process from source; it ends with this one, however that is. */
function run(file: string, more: Record<string, string>): ChildProcess {
  const loaded = [
    '--expose-gc',
    '--import',
    'tsx',
    '--import',
    './libs/running-system/src/lifeline.ts',
    '--import',
    collector,
  ];
  const args = [...loaded, '--conditions=@offload/source', file];
  const child = spawn(process.execPath, args, {
    cwd: root,
    env: { ...env, ...more },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  started.push(child);
  return child;
}

/** Resolves once it is ready. */
async function start(app: 'api' | 'worker', more: Record<string, string>): Promise<Running> {
  const child = run(`apps/${app}/src/main.ts`, more);
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  const line = (wanted: string): Promise<{ port?: number }> =>
    new Promise((resolve, reject) => {
      lines.on('line', (text) => {
        if (!text.startsWith('{')) return;
        const read = JSON.parse(text) as { msg: string; port?: number };
        if (read.msg === wanted) resolve(read);
      });
      child.once('exit', (code) => reject(new Error(`the ${app} ended with code ${code}`)));
    });
  const { port } = await line('listening');
  const url = `http://127.0.0.1:${port}`;
  const isReady = async () => ((await (await fetch(`${url}/readyz`)).json()) as { status: string }).status === 'ready';
  while (!(await isReady())) await delay(50);
  const pid = child.pid as number;
  return {
    url,
    pid,
    async collect() {
      const collected = line('collected');
      process.kill(pid, 'SIGUSR2');
      await collected;
    },
  };
}

async function end(child: ChildProcess | undefined): Promise<void> {
  if (!child || child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
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
