// Measures the figures of the README on a running system:
//
//   node --import tsx --conditions=@offload/source proof/acceptance.ts
//
// It uses the system of a running `npm start`, or the one at API_URL and NOTIFIER_URLS (separated by commas). Then it
// kills workers of a system of its own, on the servers of TEST_DATABASE_URL, TEST_AMQP_URL and TEST_MANAGEMENT_URL, or
// else on new ones. It prints a table, and exits with 1 when a figure misses its bound.
import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { eventually } from '@offload/spec-kit';
import {
  agreedProfile,
  publishedCsv,
  startSystem,
  type System,
  type SystemProcess,
  startTarget,
  withTestServers,
} from '@offload/running-system';
import {
  openEvents,
  finished,
  getJob,
  holderOf,
  metric,
  post,
  submit,
  type Site,
} from '@offload/running-system/requests';
import { figure, median, ms, seconds } from './figures.ts';

const api: Site = { url: process.env.API_URL || 'http://127.0.0.1:3000' };
const notifiers: Site[] = (process.env.NOTIFIER_URLS || 'http://127.0.0.1:3100,http://127.0.0.1:3101')
  .split(',')
  .map((url) => ({ url: url.trim() }));
const POSTS = 20;
const KILLS = 10;
const CANCELS = 20;
const DELAYED = 50;

/** Posts a job that must be accepted. @returns its id, and the milliseconds until the whole answer */
async function timedPost(submission: object): Promise<{ id: string; tookMs: number }> {
  const from = performance.now();
  const response = await post(api, submission);
  const { id } = (await response.json()) as { id: string };
  if (response.status !== 202) throw new Error(`POST /v1/jobs answered ${response.status}`);
  return { id, tookMs: performance.now() - from };
}

async function acceptance(): Promise<void> {
  const tookMs: number[] = [];
  for (let count = 0; count < POSTS; count += 1) {
    tookMs.push((await timedPost({ type: 'demo.sleep', payload: { seconds: 0 } })).tookMs);
  }
  const measured = `${median(tookMs).toFixed(1)} ms, worst ${ms(Math.max(...tookMs))}`;
  figure(`${POSTS} posts to 202: median`, measured, 'under 100 ms', median(tookMs) < 100);
}

/** Runs one ten-second job, which clients watch at every notifier from the start, and at the second one late. */
async function tenSecondJob(): Promise<void> {
  const tag = `acceptance-${randomUUID()}`;
  const streams = await Promise.all(notifiers.map(({ url }) => openEvents(`${url}/v1/events?tag=${tag}`)));
  const from = performance.now();
  const { id, tookMs } = await timedPost({ type: 'demo.sleep', payload: { seconds: 10 }, tags: [tag] });
  figure('post of a ten-second job to 202', ms(tookMs), 'under 100 ms', tookMs < 100);

  const latecomer = (async () => {
    await eventually(async () => {
      if (((await getJob(api, id)).progress?.percent ?? 0) < 50) throw new Error('not half done');
    });
    return (await openEvents(`${notifiers.at(-1)?.url}/v1/jobs/${id}/events`)).until(() => false);
  })();
  const seen = await Promise.all(streams.map((stream) => stream.until(({ event }) => event === 'job.succeeded')));
  const tookAll = performance.now() - from;
  figure(
    'the same job until its last event is here',
    seconds(tookAll),
    '10 to 11 s',
    tookAll >= 10e3 && tookAll < 11e3,
  );
  await Promise.all(streams.map((stream) => stream.close()));

  const [one = '', ...others] = seen.map((events) => JSON.stringify(events));
  const events = `${seen[0]?.length} events at ${seen.length} notifiers`;
  const equal = seen.length > 1 && others.every((other) => other === one);
  figure('every notifier tells the same events', events, 'equal, at 2 or more', equal);

  const [first, ...rest] = await latecomer;
  const late = `${first?.event} at ${first?.job.progress?.percent} %, then ${rest.length} events`;
  const asItIs = first?.event === 'job.running' && (first.job.progress?.percent ?? 0) >= 50;
  const ends = rest.at(-1)?.event === 'job.succeeded';
  figure('a late client gets the job as it is, then the rest', late, 'job.running, to the end', asItIs && ends);
}

async function profile(): Promise<void> {
  for (const name of ['seattle-weather.csv', 'airports.csv']) {
    const { csv, profile } = await publishedCsv(name);
    const job = await finished(api, await submit(api, { type: 'csv.profile', payload: { csv } }));
    const same = isDeepStrictEqual(agreedProfile(job.result), profile);
    const measured = `${(job.result as { rows?: number } | null)?.rows} rows in ${job.durationMs} ms`;
    figure(`csv.profile of ${name}`, measured, 'as computed independently', same);
  }
}

async function fiveAndFive(system: System, ownApi: Site): Promise<void> {
  const start = () => system.startWorker({ WORKER_CONCURRENCY: '1' });
  const workers = await Promise.all([start(), start()]);
  const from = performance.now();
  const job = { type: 'demo.sleep', payload: { seconds: 10 } };
  const jobs = await Promise.all(Array.from({ length: 10 }, () => submit(ownApi, job)));
  await Promise.all(jobs.map((each) => finished(ownApi, each, 180_000)));
  const took = performance.now() - from;
  const claimed = await Promise.all(
    workers.map((worker) => metric(worker, 'offload_deliveries_total{claim="claimed"}')),
  );
  const measured = `${claimed.join(' and ')} in ${seconds(took)}`;
  figure('ten ten-second jobs on two workers, one at a time', measured, '5 and 5', claimed.join() === '5,5');
  await Promise.all(workers.map((worker) => worker.kill('SIGTERM')));
}

async function takeovers(system: System, ownApi: Site): Promise<void> {
  const start = () => system.startWorker({ WORKER_CONCURRENCY: '1' });
  let workers: SystemProcess[] = await Promise.all([start(), start()]);
  const gaps: number[] = [];
  for (let count = 0; count < KILLS; count += 1) {
    const job = await submit(ownApi, { type: 'demo.sleep', payload: { seconds: 2 } });
    await eventually(async () => {
      const { status } = await getJob(ownApi, job.id);
      if (status !== 'running') throw new Error(`${status}, not running`); // its worker may have the dispatch message, but not claimed the job
    });
    const killed = await holderOf(workers);
    const killedAt = Date.now();
    await killed.kill('SIGKILL');
    const { attempt, status, startedAt, errors } = await finished(ownApi, job);
    if (status !== 'succeeded' || attempt !== 2) throw new Error(`${status} at attempt ${attempt}`);
    if (errors[0]?.code !== 'worker-lost') throw new Error('the first attempt was not lost with its worker');
    gaps.push(Date.parse(startedAt ?? '') - killedAt);
    workers = [...workers.filter((worker) => worker !== killed), await start()];
  }
  await Promise.all(workers.map((worker) => worker.kill('SIGTERM')));
  const measured = `${ms(median(gaps))}, worst ${ms(Math.max(...gaps))}`;
  figure(`kill -9 to the next attempt, ${KILLS} times: median`, measured, 'each under 1 s', Math.max(...gaps) < 1_000);
}

/** Measures from the cancel request until the handler aborts its own request, on either of two workers. */
async function cancels(system: System, ownApi: Site): Promise<void> {
  const target = await startTarget();
  const start = () => system.startWorker({ ALLOW_PRIVATE_TARGETS: 'true' });
  const workers = await Promise.all([start(), start()]);
  const gaps: number[] = [];
  for (let count = 0; count < CANCELS; count += 1) {
    const job = await submit(ownApi, { type: 'http.request', payload: { url: target.url } });
    const call = await target.next();
    const from = performance.now();
    const { status } = await fetch(`${ownApi.url}/v1/jobs/${job.id}/cancel`, { method: 'POST' });
    await call.closed;
    gaps.push(performance.now() - from);
    const ended = await finished(ownApi, job);
    if (status !== 202 || ended.status !== 'cancelled') throw new Error(`answered ${status}, ended ${ended.status}`);
  }
  target.close();
  const measured = `${ms(median(gaps))}, worst ${ms(Math.max(...gaps))}`;
  figure(`cancel to the handler's signal, ${CANCELS} times: median`, measured, 'under 100 ms', median(gaps) < 100);
  await Promise.all(workers.map((worker) => worker.kill('SIGTERM')));
}

/** Measures from the due time of a delayed job until its handler starts, by the database's clock. */
async function delays(system: System, ownApi: Site): Promise<void> {
  const worker = await system.startWorker({ WORKER_CONCURRENCY: '50' });
  const jobs = await Promise.all(
    Array.from({ length: DELAYED }, (_, n) =>
      submit(ownApi, { type: 'demo.sleep', payload: { seconds: 0 }, delayMs: 300 + n * 37 }),
    ),
  );
  const done = await Promise.all(jobs.map((job) => finished(ownApi, job)));
  const late = done.map(({ dueAt, startedAt }) => Date.parse(startedAt ?? '') - Date.parse(dueAt));
  const measured = `${ms(median(late))}, worst ${ms(Math.max(...late))}`;
  figure(`due to started, ${DELAYED} delayed jobs: median`, measured, 'under 100 ms', median(late) < 100);
  await worker.kill('SIGTERM');
}

for (const { url } of [api, ...notifiers]) {
  const answer = await fetch(`${url}/readyz`).catch(() => null); // not reachable: reported below
  if (answer?.ok) continue;
  process.stderr.write(`${url}/readyz does not answer 200: run npm start first, or set API_URL and NOTIFIER_URLS\n`);
  process.exit(1);
}
await acceptance();
await tenSecondJob();
await profile();

await withTestServers(async () => {
  const system = await startSystem();
  try {
    const ownApi = await system.startApi();
    await fiveAndFive(system, ownApi);
    await takeovers(system, ownApi);
    for (const measure of [cancels, delays]) await measure(system, ownApi);
  } finally {
    await system.stop();
  }
});
