import { setTimeout as delay } from 'node:timers/promises';
import type { JobsTaken } from '@offload/jobs/answers';
import { finishedJobs } from '../audit.ts';
import type { Fleet, Place } from '../fleet.ts';
import { metric } from '@offload/running-system/requests';
import { pending } from './deliveries.ts';
import { fateOf, submissionOf } from './jobs.ts';

/** What `play` needs. */
export interface PlayParts {
  fleet: Fleet;
  databaseUrl: string;
  hosts: readonly string[];
  jobs: number;
  /** Number of notifiers that are killed while webhooks are pending. */
  kills: number;
  /** Makes the receivers of a kind answer 410. */
  close(kind: 'closing' | 'shared'): Promise<void>;
  /** Milliseconds for all webhooks after the last job. */
  patienceMs: number;
  say(line: string): void;
}

/**
 * Most jobs that are posted together. A small number of jobs has smaller batches, so that they end one after the other.
 */
const LARGEST_BATCH = 100;
const SMALLEST_BATCH = 10;
const BATCHES = 50;
const PAUSE_MS = 700;
const KILL_EVERY_MS = 3_000;
const LOOK_EVERY_MS = 50;

/** Plays the measurement. @returns the number of notifiers that were killed while webhooks were pending */
export async function play(parts: PlayParts): Promise<number> {
  const { databaseUrl, jobs, close, patienceMs, say } = parts;
  const over = new AbortController();
  let closing = false;
  const killing = killNotifiers(parts, over.signal);
  try {
    await submitAll(parts, async (submitted) => {
      if (closing || submitted * 2 < jobs) return;
      closing = true;
      await close('closing');
    });
    await untilBelow(1, async () => jobs - (await finishedJobs(databaseUrl)), patienceMs);
    say(`all jobs are finished, ${await pending(databaseUrl)} webhooks are pending`);
    await close('shared');
    await untilBelow(1, () => pending(databaseUrl), patienceMs);
  } finally {
    over.abort();
  }
  return killing;
}

async function submitAll({ fleet, hosts, jobs }: PlayParts, onBatch: (submitted: number) => Promise<void>) {
  const [api] = fleet.apis();
  const size = Math.min(LARGEST_BATCH, Math.max(SMALLEST_BATCH, Math.ceil(jobs / BATCHES)));
  for (let from = 0; from < jobs; from += size) {
    const numbers = Array.from({ length: Math.min(size, jobs - from) }, (_, index) => from + index);
    const response = await fetch(`${api?.url}/v1/jobs/batch`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jobs: numbers.map((number) => submissionOf(number, hosts)) }),
    });
    if (response.status !== 202) throw new Error(`a batch was answered ${response.status}: ${await response.text()}`);
    const taken = (await response.json()) as JobsTaken;
    for (const [index, { id }] of taken.jobs.entries()) {
      if (fateOf(from + index) !== 'cancelled') continue;
      const { status } = await fetch(`${api?.url}/v1/jobs/${id}/cancel`, { method: 'POST' });
      if (status !== 200) throw new Error(`cancel was answered ${status}`);
    }
    await onBatch(from + numbers.length);
    await delay(PAUSE_MS);
  }
}

/** Every few seconds, kills the notifier that sends most webhooks, and replaces it. */
async function killNotifiers({ fleet, databaseUrl, kills, say }: PlayParts, over: AbortSignal): Promise<number> {
  let killed = 0;
  let dueAt = performance.now() + KILL_EVERY_MS;
  while (!over.aborted && killed < kills) {
    await delay(LOOK_EVERY_MS);
    const [busiest] = await bySending(fleet.of('notifier'));
    if (!busiest || busiest.sends === 0 || performance.now() < dueAt) continue;
    const left = await pending(databaseUrl);
    const { place, sends } = busiest;
    say(`kill -9 of ${place.name}, which sends ${sends}; ${left} webhooks are pending`);
    await fleet.end(place, 'SIGKILL');
    killed += 1;
    await fleet.fill(place);
    dueAt = performance.now() + KILL_EVERY_MS;
  }
  return killed;
}

/** The places with the number of webhooks that each is sending, most first. */
async function bySending(places: readonly Place[]): Promise<{ place: Place; sends: number }[]> {
  const sending = places.map(async (place) => {
    const sends = place.process ? await metric(place.process, 'offload_webhooks_in_flight') : 0;
    return { place, sends };
  });
  return (await Promise.all(sending)).sort((one, other) => other.sends - one.sends);
}

async function untilBelow(bound: number, count: () => Promise<number>, patienceMs: number): Promise<void> {
  const until = performance.now() + patienceMs;
  while ((await count()) >= bound && performance.now() < until) await delay(200);
}
