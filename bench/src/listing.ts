// `npm run listing`: measures in PostgreSQL how long it takes to list a million jobs page by page while new ones
// arrive, all of them and by each filter. It exits with 1 when a job is missed or repeated. `npm run listing -- --jobs
// 5000000` has more.
import { randomUUID } from 'node:crypto';
import { chmod, mkdtemp, realpath, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { migrate, openDatabase, type Database, type JobFilter } from '@offload/database';
import { startEmbeddedPostgres } from '@offload/embedded-servers';
import pg from 'pg';
import { fillJobs } from './fill-jobs.ts';
import { readServerTimes, timedSettings, timedUrl } from './server-times.ts';

const PAGE = 200;
/** Most pages of a filter with many matches. Only the walk without a filter must reach the end. */
const MOST_PAGES = 1_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const { jobs } = parseArgs({ options: { jobs: { type: 'string', default: '1000000' } } }).values;
const count = Number(jobs);
if (!(Number.isInteger(count) && count >= 1_000 && count <= 20_000_000)) {
  throw new Error('--jobs must be a whole number from 1000 to 20000000');
}

const ago = (ms: number) => new Date(Date.now() - ms);
const aDay = { createdAfter: ago(20 * DAY_MS), createdBefore: ago(19 * DAY_MS) };
const filters: [name: string, filter: Filter][] = [
  ['none', {}],
  ['`status` that most have', { status: 'succeeded' }],
  ['`status` that few have', { status: 'failed' }],
  ['`status` that the newest have', { status: 'queued' }],
  ['`type` that many have', { type: 'http.request' }],
  ['`type` that few have', { type: 'csv.profile' }],
  ['`queue` that few are in', { queue: 'rare' }],
  ['`tag` that many have', { tag: 'nightly' }],
  ['`tag` that few have', { tag: 'rare' }],
  ['`tag` that none has', { tag: 'none' }],
  ['a day 20 days ago', aDay],
  ['an hour 20 days ago', { createdAfter: ago(20 * DAY_MS), createdBefore: ago(20 * DAY_MS - HOUR_MS) }],
  ['`status` and rare `tag`', { status: 'failed', tag: 'rare' }],
  ['`status` of the newest, rare `queue`', { status: 'queued', queue: 'rare' }],
  ['`status`, `type`, `queue`, `tag`', { status: 'succeeded', type: 'demo.sleep', queue: 'mail', tag: 'rare' }],
  ['the same of that day', { ...aDay, status: 'succeeded', type: 'demo.sleep', queue: 'mail', tag: 'nightly' }],
];
type Filter = Omit<JobFilter, 'beforeId' | 'limit'>;

const folder = await realpath(await mkdtemp(join(tmpdir(), 'offload-listing-')));
await chmod(folder, 0o711); // started by root, PostgreSQL runs as another user, who must enter this folder
const times = readServerTimes();
const server = await startEmbeddedPostgres({
  dataDir: join(folder, 'postgres'),
  settings: timedSettings,
  log: times.log,
});
const url = server.url.replace(/postgres$/, 'listing');
const opened: { close(): Promise<void> }[] = [];
try {
  await migrate(url);
  const pool = new pg.Pool({ connectionString: url });
  pool.on('error', () => undefined);
  const reader = openDatabase({ url: timedUrl(url), poolSize: 1 });
  const writer = openDatabase({ url });
  opened.push(reader, writer, { close: () => pool.end() });

  const { newest, bytes } = await fillJobs(pool, count);
  const version = (await pool.query<{ server_version: string }>('show server_version')).rows[0]?.server_version;
  const arrivals = keepCreating(writer);

  console.log(
    `Node.js ${process.version}, PostgreSQL ${version} with its default settings, ${cpus().length} × ${cpus()[0]?.model}, ` +
      `${count.toLocaleString('en')} jobs in ${Math.round(bytes / 1024 ** 2)} MiB, pages of ${PAGE}. ` +
      `Times are those in the database, by its log, in ms.\n`,
  );
  console.log('| filter | pages | jobs | missed or twice | median | p99 | worst |\n|---|---|---|---|---|---|---|');
  let wrong = 0;
  for (const [name, filter] of filters) {
    const walked = await walk(reader, filter, name === 'none' ? Infinity : MOST_PAGES);
    const faults =
      walked.outOfOrder + Math.abs(walked.old(newest) - (await expected(pool, filter, newest, walked.end)));
    wrong += faults;
    const ms = (await times.take(walked.pages + 1)).slice(1).sort((a, b) => a - b);
    const at = (share: number) => (ms[Math.ceil(share * ms.length) - 1] ?? NaN).toFixed(1);
    console.log(
      `| ${name} | ${walked.pages} | ${walked.ids.length} | ${faults} | ${at(0.5)} | ${at(0.99)} | ${at(1)} |`,
    );
  }
  const { created, perSecond } = await arrivals.stop();
  console.log(`\n${created.toLocaleString('en')} jobs were made meanwhile, ${perSecond} in a second.`);
  process.exitCode = wrong === 0 ? 0 : 1;
} finally {
  await Promise.all(opened.map((each) => each.close()));
  await server.stop();
  await rm(folder, { recursive: true, force: true });
}

/** Walks page by page. Each page is a group of the server's times; a first group has all earlier ones. */
async function walk(database: Database, filter: Filter, mostPages: number) {
  const ids: string[] = [];
  let pages = 0;
  let end: string | null | undefined;
  await database.ping();
  while (end !== null && pages < mostPages) {
    const page = await database.jobs.list({ ...filter, limit: PAGE, beforeId: end });
    await database.ping();
    ids.push(...page.jobs.map(({ id }) => id));
    end = page.next;
    pages += 1;
  }
  return {
    pages,
    ids,
    /** The id at which the walk ended; null for the end of the list. */
    end: end ?? null,
    /** Number of ids that are repeated or in the wrong order. */
    outOfOrder: ids.filter((id, index) => index > 0 && id >= (ids[index - 1] as string)).length,
    /** Number of jobs that were there from the start. */
    old: (newest: string) => ids.filter((id) => id <= newest).length,
  };
}

/** Number of jobs from the start that match the filter, down to the end of the walk. */
async function expected(pool: pg.Pool, filter: Filter, newest: string, end: string | null): Promise<number> {
  const { status, type, queue, tag, createdAfter, createdBefore } = filter;
  const { rows } = await pool.query<{ count: number }>(
    `select count(*)::int as count from jobs where id <= $1 and id >= $2
      and ($3::text is null or status::text = $3) and ($4::text is null or type = $4)
      and ($5::text is null or queue = $5) and ($6::text is null or $6 = any(tags))
      and ($7::timestamptz is null or created_at > $7) and ($8::timestamptz is null or created_at < $8)`,
    [newest, end ?? '00000000-0000-0000-0000-000000000000', status, type, queue, tag, createdAfter, createdBefore],
  );
  return rows[0]?.count ?? NaN;
}

/** Makes jobs continuously, as the api does. */
function keepCreating(database: Database) {
  const startedAt = performance.now();
  let created = 0;
  let stopped = false;

  async function create(): Promise<void> {
    const time = Date.now().toString(16).padStart(12, '0');
    const id = `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`; // RFC 9562 section 5.7
    const policy = {
      priority: 0,
      maxAttempts: 5,
      timeoutMs: 60_000,
      backoff: { baseMs: 1_000, factor: 2, maxMs: 300_000 },
    };
    const work = { id, type: 'demo.sleep', queue: 'default', tags: ['nightly'], payload: { seconds: 10 } };
    await database.jobs.create({ ...work, ...policy, delayMs: 0, runAt: null });
    created += 1;
  }

  async function run(): Promise<void> {
    while (!stopped) {
      await Promise.all(Array.from({ length: 10 }, create));
      await delay(50);
    }
  }

  const running = run();
  return {
    async stop() {
      stopped = true;
      await running;
      return { created, perSecond: Math.round((created * 1_000) / (performance.now() - startedAt)) };
    },
  };
}
