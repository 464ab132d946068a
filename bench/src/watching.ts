// `npm run watching`: 10,000 browsers watch a job each at one notifier while 200 events a second are published. It
// measures the time of each event to its browser, and the costs of browsers. Then it finds the highest rate of events,
// and measures one job that all browsers watch. It writes docs/performance.md, and exits with 1 when a bound is missed
// or an event is lost. `npm run watching -- --connections 2000 --seconds 10 --rate 100 --all 5` is smaller, and prints
// only.
import { execFileSync } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startServers } from '@offload/spec-kit/servers';
import { connect } from '@offload/messaging';
import pg from 'pg';
import { build, migrate, startApp, type AppProcess } from './app-process.ts';
import { startCrowds, type Crowds } from './crowds.ts';
import { createJobEvents, insertJobs, type JobEvents } from './job-events.ts';
import { countLatencies, type Latencies } from './latencies.ts';
import { circumstances, table, writeSection } from './performance-page.ts';

const DEFAULTS = { connections: 10_000, seconds: 30, rate: 200, all: 10 };
const BOUNDS = { p99Ms: 100, kib: 30 };
/** Browsers that are opened and closed before the measurement. */
const WARM_UP = 500;
/** Seconds for each rate. */
const STEP_S = 6;
/** Rates of events a second. They increase until the p99 exceeds the bound. */
const OWN_JOB = { rates: [400, 800, 1_600, 3_200, 6_400], mostMs: BOUNDS.p99Ms };
/** The same for one job, until its events arrive too late. */
const SAME_JOB = { rates: [1, 2, 5, 10], mostMs: 1_000 };
/** Milliseconds after the last event, after which a missing event counts as lost. */
const LATE_MS = 15_000;
/** Descriptors that a process needs beside its connections. */
const SPARE_FILES = 500;

const wanted = parse();
const isStandard = Object.entries(DEFAULTS).every(([name, value]) => wanted[name as keyof typeof DEFAULTS] === value);
const files = Number(execFileSync('sh', ['-c', 'ulimit -n'], { encoding: 'utf8' }).replace('unlimited', 'Infinity'));
if (files < wanted.connections + SPARE_FILES) {
  throw new Error(
    `a process may open ${files} files, too few for ${wanted.connections} connections: ` +
      `try again after \`ulimit -n ${wanted.connections + SPARE_FILES}\`, or with --connections ${files - SPARE_FILES}`,
  );
}

await build('notifier');
const servers = await startServers(() => undefined);
const env = {
  DATABASE_URL: Object.assign(new URL(servers.databaseUrl), { pathname: '/watching' }).href,
  AMQP_URL: servers.amqpUrl,
};
const broker = connect({ url: servers.amqpUrl, topology: {} });
let notifier: AppProcess | undefined;
let crowds: Crowds | undefined;
let missed = false;
try {
  await broker.opened;
  await migrate(env);
  const pool = new pg.Pool({ connectionString: env.DATABASE_URL });
  const events = createJobEvents(broker, await insertJobs(pool, wanted.connections));
  const versions = [await postgresVersion(pool), await rabbitmqVersion()];
  await pool.end();
  notifier = await startApp('notifier', { ...env, NOTIFIER_PORT: '0', MAX_STREAMS: '1000000' });
  crowds = startCrowds(notifier, 2);

  const scene = { app: notifier, crowds, events };
  const content = [...(await eachItsOwn(scene)), ...(await allTheSame(scene)), circumstances(versions)].join('\n\n');
  console.log(content);
  if (isStandard) await writeSection('watching', content);
  process.exitCode = missed ? 1 : 0;
} finally {
  crowds?.end();
  await notifier?.end();
  await broker.close();
  await servers.stop();
}

interface Scene {
  app: AppProcess;
  crowds: Crowds;
  events: JobEvents;
}

/** Each browser watches a job of its own, except for a few that watch all jobs. */
async function eachItsOwn(scene: Scene): Promise<string[]> {
  const { app, crowds, events } = scene;
  const { connections, all, rate, seconds } = wanted;
  const paths = events.jobs.map(({ id }) => `/v1/jobs/${id}/events`);
  await crowds.open(paths.slice(0, WARM_UP));
  await load(scene, { rate, seconds: 2, browsers: 0 });
  await crowds.close();
  await app.collect();
  const before = await memory(app);

  const openedMs = await crowds.open([...paths, ...Array<string>(all).fill('/v1/events')]);
  await app.collect();
  const idle = await memory(app);
  const measured = await load(scene, { rate, seconds, browsers: 1 + all });
  const after = await memory(app);
  await app.collect();
  const inUse = await memory(app);

  const each = (now: number, then: number) => (now - then) / 1_024 / connections;
  const kib = each(Math.max(idle.resident, after.resident), before.resident);
  const { latencies, due, cpu, loopMs } = measured;
  missed ||= !(latencies.at(0.99) < BOUNDS.p99Ms && kib < BOUNDS.kib) || latencies.size < due;
  const mib = [before, idle, after].map(({ resident }) => (resident / 1024 ** 2).toFixed(0)).join(', ');
  return [
    `${count(connections)} browsers watch a job each, and ${all} watch all jobs. The benchmark publishes ${rate} events ` +
      `a second, of ${count(events.bytes)} bytes each, for ${seconds} s:`,
    table([
      ['what', 'measured', 'bound'],
      ['event to browser: median, ms', ms(latencies.at(0.5)), ''],
      ['p99, ms', ms(latencies.at(0.99)), `under ${BOUNDS.p99Ms}`],
      ['worst, ms', ms(latencies.at(1)), ''],
      ['events that reached their browser', `${count(latencies.size)} of ${count(due)}`, 'all'],
      ['resident memory: before, with all browsers, after the events, MiB', mib, ''],
      ['resident memory for each connection, KiB', kib.toFixed(1), `under ${BOUNDS.kib}`],
      ['heap and buffers for each connection, KiB', each(inUse.heap, before.heap).toFixed(1), ''],
      ['CPU, % of one core', cpu.toFixed(0), ''],
      ['delay of the event loop, p99, ms', ms(loopMs), ''],
      ['from the first connection to the last snapshot, s', (openedMs / 1_000).toFixed(1), ''],
    ]),
    `Higher rates, for ${STEP_S} s each, until the p99 is over ${OWN_JOB.mostMs} ms:`,
    await limit(scene, OWN_JOB, 1 + all),
  ];
}

/** All browsers watch one job, so each event is written to every browser. */
async function allTheSame(scene: Scene): Promise<string[]> {
  const { connections } = wanted;
  await scene.crowds.close();
  await scene.crowds.open(Array<string>(connections).fill(`/v1/jobs/${scene.events.jobs[0]?.id}/events`));
  return [
    `${count(connections)} browsers all watch the same job, for ${STEP_S} s at each rate:`,
    await limit(scene, SAME_JOB, connections, 1),
  ];
}

interface Load {
  rate: number;
  seconds: number;
  /** Number of browsers that get each event. */
  browsers: number;
  /** Publishes events of this many jobs only. @default all */
  only?: number;
}

interface Measured {
  latencies: Latencies;
  /** Number of events that browsers must get. */
  due: number;
  /** Events a second. They are fewer than wanted if the broker or this process is too slow. */
  published: number;
  cpu: number;
  loopMs: number;
}

/** Publishes, and waits until every browser has its events, or until the time is over. */
async function load({ app, crowds, events }: Scene, { browsers, ...run }: Load): Promise<Measured> {
  await crowds.count(countLatencies()); // of before
  const before = await app.figures();
  const from = performance.now();
  const published = await events.publish(run);
  const seconds = (performance.now() - from) / 1_000;
  const figures = await app.figures();
  const cpu = figures('process_cpu_seconds_total') - before('process_cpu_seconds_total');

  const latencies = countLatencies();
  const due = published * browsers;
  for (const giveUp = performance.now() + LATE_MS; latencies.size < due && performance.now() < giveUp;) {
    await delay(500);
    await crowds.count(latencies);
  }
  const loopMs = figures('nodejs_eventloop_lag_p99_seconds') * 1_000;
  return { latencies, due, published: published / seconds, cpu: (cpu / seconds) * 100, loopMs };
}

/** Tries one rate after the other, until events take too long. */
async function limit(scene: Scene, { rates, mostMs }: typeof OWN_JOB, browsers: number, only?: number) {
  const times = ['median, ms', 'p99, ms', 'worst, ms'];
  const rows = [['events a second', 'writes a second', ...times, 'lost', 'CPU, %', 'event loop p99, ms']];
  for (const rate of rates) {
    const { latencies, due, published, cpu, loopMs } = await load(scene, { rate, seconds: STEP_S, browsers, only });
    const lost = due - latencies.size;
    missed ||= lost > 0;
    rows.push([
      published < 0.9 * rate ? `${count(rate)}, of which ${count(published)} were published` : count(rate),
      count(published * browsers),
      ...[0.5, 0.99, 1].map((share) => ms(latencies.at(share))),
      ...[count(lost), cpu.toFixed(0), ms(loopMs)],
    ]);
    if (!(latencies.at(0.99) < mostMs) || lost > 0) break;
  }
  return table(rows);
}

async function memory(app: AppProcess): Promise<{ resident: number; heap: number }> {
  const figures = await app.figures();
  const heap = figures('nodejs_heap_size_used_bytes') + figures('nodejs_external_memory_bytes');
  return { resident: figures('process_resident_memory_bytes'), heap };
}

async function postgresVersion(pool: pg.Pool): Promise<string> {
  const { rows } = await pool.query<{ server_version: string }>('show server_version');
  return `PostgreSQL ${rows[0]?.server_version}`;
}

async function rabbitmqVersion(): Promise<string> {
  const { username, password } = new URL(servers.amqpUrl);
  const headers = { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` };
  const overview = await fetch(new URL('/api/overview', servers.managementUrl), { headers });
  return `RabbitMQ ${((await overview.json()) as { rabbitmq_version: string }).rabbitmq_version}`;
}

function parse(): typeof DEFAULTS {
  const named = Object.entries(DEFAULTS).map(([name, value]) => [name, { type: 'string', default: String(value) }]);
  const { values } = parseArgs({ options: Object.fromEntries(named) as Record<string, { type: 'string' }> });
  const numbers = Object.keys(DEFAULTS).map((name) => {
    const value = Number(values[name]);
    if (Number.isInteger(value) && value >= (name === 'all' ? 0 : 1) && value <= 25_000) return [name, value];
    throw new Error(`--${name} must be a whole number, at most 25000`);
  });
  return Object.fromEntries(numbers) as typeof DEFAULTS;
}

function ms(value: number): string {
  return value.toFixed(1);
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en');
}
