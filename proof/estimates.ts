// Measures how good `position` and `etaMs` of queued jobs are:
//
//   npm run estimates
//
// Two workers of ten jobs each, on a system of its own, run 300 jobs that sleep: first each for a second, then each for
// 0.2 to 3 seconds. Meanwhile it reads the estimates of some waiting jobs, and compares them with their starts. It
// takes about two minutes and prints Markdown.
import { setTimeout as delay } from 'node:timers/promises';
import type { JobWithLinks } from '@offload/jobs/answers';
import { startSystem, withTestServers } from '@offload/running-system';
import { clientOf, finished, getJob, type Site } from '@offload/running-system/requests';

const JOBS = 300;
const ASKED_AT_ONCE = 10;
const EVERY_MS = 500;

/** The estimates of a job while it was waiting. */
interface Guess {
  jobId: string;
  askedAt: number;
  etaMs: number | null;
  position: number;
}

const loads: [what: string, seconds: () => number][] = [
  ['each takes 1 s', () => 1],
  ['each takes 0.2 to 3 s', () => Math.round((0.2 + Math.random() * 2.8) * 100) / 100],
];

async function watchLoad(api: Site, seconds: () => number): Promise<{ guesses: Guess[]; jobs: JobWithLinks[] }> {
  const batch = Array.from({ length: JOBS }, () => ['demo.sleep', { seconds: seconds() }] as const);
  const submitted = await clientOf(api).submitBatch(batch);
  const guesses: Guess[] = [];
  let waiting = submitted.map(({ id }) => id);
  while (waiting.length > 0) {
    const step = Math.max(1, Math.floor(waiting.length / ASKED_AT_ONCE));
    const asked = waiting.filter((_, index) => index % step === 0);
    const askedAt = Date.now();
    const seen = await Promise.all(asked.map((id) => getJob(api, id)));
    for (const { id, status, position, etaMs = null } of seen) {
      if (status === 'queued' && position !== undefined) guesses.push({ jobId: id, askedAt, etaMs, position });
    }
    const started = new Set(seen.filter(({ status }) => status !== 'queued').map(({ id }) => id));
    const last = seen.findLast(({ id }) => started.has(id));
    // Dispatch messages are delivered in order: jobs before a started one have started too, with few exceptions.
    waiting = waiting.filter((id) => !started.has(id) && (!last || id > last.id));
    await delay(EVERY_MS);
  }
  const jobs = await Promise.all(submitted.map((job) => finished(api, job, 120_000)));
  return { guesses, jobs };
}

function quantile(values: readonly number[], share: number): number {
  return [...values].sort((one, other) => one - other)[Math.floor(values.length * share)] ?? NaN;
}

const bands: [from: number, to: number][] = [
  [0, 2_000],
  [2_000, 5_000],
  [5_000, 15_000],
  [15_000, 60_000],
];

function tell(what: string, guesses: Guess[], jobs: JobWithLinks[]): void {
  const startedAt = new Map(jobs.map(({ id, startedAt: at }) => [id, Date.parse(at ?? '')]));
  const known = guesses.filter(({ etaMs }) => etaMs !== null);
  process.stdout.write(
    `\n${what}: asked ${guesses.length} times, without an answer ${guesses.length - known.length}\n\n`,
  );
  process.stdout.write('| it started after | asked | etaMs off by: median | 90 % within | early or late: median |\n');
  process.stdout.write('| --- | --- | --- | --- | --- |\n');
  for (const [from, to] of bands) {
    const errors = known.flatMap(({ jobId, askedAt, etaMs }) => {
      const actual = (startedAt.get(jobId) ?? NaN) - askedAt;
      return actual >= from && actual < to ? [(etaMs as number) - actual] : [];
    });
    if (errors.length === 0) continue;
    const off = errors.map(Math.abs);
    const cells = [quantile(off, 0.5), quantile(off, 0.9), quantile(errors, 0.5)].map(
      (ms) => `${(ms / 1_000).toFixed(1)} s`,
    );
    process.stdout.write(`| ${from / 1_000} to ${to / 1_000} s | ${errors.length} | ${cells.join(' | ')} |\n`);
  }
}

await withTestServers(async () => {
  const system = await startSystem();
  try {
    const api = await system.startApi({ MAX_WAITERS: String(JOBS) });
    await Promise.all([system.startWorker(), system.startWorker()]);
    for (const [what, seconds] of loads) {
      const { guesses, jobs } = await watchLoad(api, seconds);
      tell(what, guesses, jobs);
    }
  } finally {
    await system.stop();
  }
});
