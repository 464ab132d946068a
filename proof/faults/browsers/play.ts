import { setTimeout as delay } from 'node:timers/promises';
import type { JobWithLinks } from '@offload/jobs/answers';
import { finishedJobs } from '../audit.ts';
import type { Fleet } from '../fleet.ts';
import type { Ground } from '../ground.ts';
import { between, type Random } from '../random.ts';
import { submit, type Site } from '@offload/running-system/requests';
import type { Audience } from './audience.ts';
import { fateOf, MEAN_MS, submissionOf } from './jobs.ts';

/** What `play` needs. */
export interface PlayParts {
  ground: Ground;
  fleet: Fleet;
  databaseUrl: string;
  audience: Audience;
  jobs: number;
  /** The faults, each at a share of finished jobs. */
  blows: readonly [share: number, blow: 'RabbitMQ' | 'notifier'][];
  /** Number of jobs that run at once. */
  slots: number;
  random: Random;
  /** Milliseconds after the last fault in which every job must be finished. */
  patienceMs: number;
  say(line: string): void;
}

/** A time in which a server was away, in milliseconds since 1970. */
export interface Outage {
  from: number;
  until: number;
}

/** The record of the play. */
export interface Played {
  /** Number of answers to cancel requests, by status. */
  cancels: ReadonlyMap<number, number>;
  outages: readonly Outage[];
}

/** Number of waiting jobs that are cancelled while RabbitMQ is away, so that no event of it is published. */
const CANCELLED_MEANWHILE = 5;
/** Share of jobs that are posted at once. The others have pauses, so that browsers arrive at any time. */
const FIRST_SHARE = 0.5;
const POSTERS = 8;
/** Milliseconds that RabbitMQ or a notifier is away, beside its start. */
const AWAY_MS = 2_000;

/**
 * Submits jobs with their browsers, cancels some, and causes the faults. Resolves when every job is finished, or time
 * is over.
 */
export async function play(parts: PlayParts): Promise<Played> {
  const { fleet, databaseUrl, jobs, slots, random, patienceMs } = parts;
  const [api] = fleet.apis();
  if (!api) throw new Error('there is no api');
  const cancels = new Map<number, number>();
  const underWay = new Set<Promise<void>>();
  /** Ids of jobs that are to be cancelled later. */
  const condemned: string[] = [];
  const all = (jobs * MEAN_MS) / slots; // duration of all jobs without a fault

  async function cancel(id: string): Promise<void> {
    const { status } = await fetch(`${api?.url}/v1/jobs/${id}/cancel`, { method: 'POST' });
    cancels.set(status, (cancels.get(status) ?? 0) + 1);
  }
  async function cancelLater(id: string, afterMs: number): Promise<void> {
    condemned.push(id);
    await delay(afterMs);
    if (!condemned.includes(id)) return;
    condemned.splice(condemned.indexOf(id), 1);
    await cancel(id);
  }
  function begin(work: Promise<void>): void {
    const working = work.finally(() => underWay.delete(working));
    working.catch(() => undefined); // reported below
    underWay.add(working);
  }

  const posting = post(parts, api, all, (job, number) => {
    const fate = fateOf(number);
    if (fate === 'cancelled') begin(cancelLater(job.id, between(random, 0, all / 2)));
    let told = fate !== 'cancelled running';
    parts.audience.watch(job, number % 2 === 0, ({ id, status }) => {
      if (told || status !== 'running') return;
      told = true;
      begin(cancel(id));
    });
  });
  const whileAway = (): void => condemned.splice(-CANCELLED_MEANWHILE).forEach((id) => begin(cancel(id)));
  const [outages] = await Promise.all([strike(parts, whileAway), posting]);
  await Promise.all(underWay);
  const until = performance.now() + patienceMs;
  while ((await finishedJobs(databaseUrl)) < jobs && performance.now() < until) await delay(200);
  await Promise.all(underWay);
  return { cancels, outages };
}

async function post(
  { jobs, random }: PlayParts,
  api: Site,
  allMs: number,
  onAccepted: (job: JobWithLinks, number: number) => void,
): Promise<void> {
  let next = 0;
  const pauseMs = ((allMs / 2) * POSTERS) / (jobs * (1 - FIRST_SHARE));
  await Promise.all(
    Array.from({ length: POSTERS }, async () => {
      for (let number = next++; number < jobs; number = next++) {
        onAccepted(await submit(api, submissionOf(number, random)), number);
        if (number >= jobs * FIRST_SHARE) await delay(pauseMs);
      }
    }),
  );
}

async function strike(parts: PlayParts, whileAway: () => void): Promise<Outage[]> {
  const { ground, fleet, databaseUrl, jobs, blows, patienceMs, say } = parts;
  const outages: Outage[] = [];
  const { broker } = ground;
  for (const [share, blow] of blows) {
    const until = performance.now() + patienceMs;
    while ((await finishedJobs(databaseUrl)) < share * jobs && performance.now() < until) await delay(100);
    if (blow === 'RabbitMQ') await broker.flush(); // so that it comes back with its queues: see TestBroker.flush
    const from = Date.now();
    say(
      `kill -9 of ${blow === 'RabbitMQ' ? blow : 'a notifier'}, ${await finishedJobs(databaseUrl)} jobs are finished`,
    );
    if (blow === 'RabbitMQ') {
      await broker.kill();
      whileAway();
      await delay(AWAY_MS);
      await broker.start();
    } else {
      const place = fleet.of('notifier')[0];
      if (!place) throw new Error('there is no notifier');
      await fleet.end(place, 'SIGKILL');
      await delay(AWAY_MS);
      await fleet.fill(place);
    }
    outages.push({ from, until: Date.now() });
  }
  return outages;
}
