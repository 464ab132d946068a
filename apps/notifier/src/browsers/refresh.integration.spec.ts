import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Job } from '@offload/jobs';
import { DatabaseUnavailableError } from '@offload/database';
import { eventually } from '@offload/spec-kit';
import { refreshWatched } from './refresh.ts';
import { startNotifier, type SpecNotifier } from './spec-notifier.ts';

let notifier: SpecNotifier;
beforeAll(async () => void (notifier = await startNotifier()));
afterEach(() => void Object.assign(notifier.seen, notifier.database.jobs));
afterAll(() => notifier.stop());

/** Starts a watcher of this job, which has been shown the job. */
async function watching(job: Job) {
  const watched = await notifier.watch(`/v1/jobs/${job.id}/events`);
  await eventually(() => expect(watched.events).toHaveLength(1));
  return watched;
}

/** Records the ids of the jobs that are read from now on. */
function readings(): string[] {
  const ids: string[] = [];
  notifier.seen.get = (id) => {
    ids.push(id);
    return notifier.database.jobs.get(id);
  };
  return ids;
}

describe('a watcher of a job', () => {
  it('gets its final state although the broker was away', async () => {
    const job = await notifier.queuedJob();
    const { events, ended } = await watching(job);
    await notifier.run(job); // its events are lost
    await notifier.loseBroker();
    await ended;
    expect(events.map(({ event }) => event)).toEqual(['job.queued', 'job.succeeded']);
  });

  it('gets its final state although the database was away, too', async () => {
    const { seen, queuedJob, run, refresh, database } = notifier;
    const job = await queuedJob();
    const { events, ended } = await watching(job);
    await run(job);
    let asked = 0;
    seen.versions = () => {
      asked += 1;
      return Promise.reject(new DatabaseUnavailableError(new Error('spec')));
    };
    refresh.wake();
    await eventually(() => expect(asked).toBeGreaterThan(2));
    seen.versions = database.jobs.versions;
    await ended;
    expect(events.at(-1)?.event).toBe('job.succeeded');
  });

  it('gets the final state from the periodic refresh when an event was lost unnoticed', async () => {
    const other = await startNotifier({ refreshMs: 50 });
    let hasRun: () => void = () => undefined;
    const run = new Promise<void>((resolve) => (hasRun = resolve));
    other.seen.versions = async (ids) => {
      await run; // no refresh finds the job in a middle state
      return other.database.jobs.versions(ids);
    };
    try {
      const job = await other.queuedJob();
      const { events, ended } = await other.watch(`/v1/jobs/${job.id}/events`);
      await eventually(() => expect(events).toHaveLength(1));
      await other.run(job);
      hasRun();
      await ended;
      expect(events.map(({ event }) => event)).toEqual(['job.queued', 'job.succeeded']);
    } finally {
      await other.stop();
    }
  });

  it('loses its stream when the job is deleted, and does not reconnect', async () => {
    const { queuedJob, run, database, refresh, base, hub } = notifier;
    const job = await queuedJob();
    const { events, ended } = await watching(job);
    await run(job);
    await database.jobs.delete(job.id);
    refresh.wake();
    await ended;
    expect(events).toHaveLength(1);
    const again = await fetch(`${base}/v1/jobs/${job.id}/events`, { headers: { 'Last-Event-ID': '1' } });
    expect(again.status).toBe(404);
    await eventually(() => expect(hub.watchedJobs()).toEqual([]));
  });
});

describe('a refresh of the watched jobs', () => {
  it('reads only jobs that have changed since they were shown, a few at once', async () => {
    const { database, hub, queuedJob, claim } = notifier;
    const jobs = await Promise.all(Array.from({ length: 30 }, () => queuedJob()));
    const watchers = await Promise.all(jobs.map(watching));
    const changed = jobs.slice(0, 25);
    await Promise.all(changed.map(claim));
    let [atOnce, most] = [0, 0];
    const read: string[] = [];
    const getJob = async (id: string) => {
      read.push(id);
      most = Math.max(most, (atOnce += 1));
      const job = await database.jobs.get(id);
      atOnce -= 1;
      return job;
    };
    await refreshWatched({ database: { jobs: { versions: database.jobs.versions, get: getJob } }, hub });
    expect(read.sort()).toEqual(changed.map(({ id }) => id).sort());
    expect(most).toBe(10);
    for (const { events } of watchers.slice(0, 25)) {
      await eventually(() => expect(events.map(({ event }) => event)).toEqual(['job.queued', 'job.running']));
    }
    await Promise.all(watchers.map(({ close }) => close()));
    await eventually(() => expect(hub.watchedJobs()).toEqual([]));
  });

  it('runs once at a time, however often it is woken', async () => {
    const { queuedJob, seen, database, refresh } = notifier;
    const { close } = await watching(await queuedJob());
    let [looks, atOnce, most] = [0, 0, 0];
    seen.versions = async (ids) => {
      looks += 1;
      most = Math.max(most, (atOnce += 1));
      for (let times = 0; times < 20; times += 1) refresh.wake();
      if (looks >= 3) seen.versions = database.jobs.versions;
      const versions = await database.jobs.versions(ids);
      atOnce -= 1;
      return versions;
    };
    refresh.wake();
    await eventually(() => expect([looks, atOnce]).toEqual([3, 0]));
    expect(most).toBe(1);
    await close();
  });

  it('sends nothing to watchers of all jobs', async () => {
    const { queuedJob, claim, watch, refresh, publishEvent } = notifier;
    const job = await queuedJob();
    const [one, all] = [await watching(job), await watch('/v1/events')];
    await claim(job);
    refresh.wake();
    await eventually(() => expect(one.events).toHaveLength(2));
    await publishEvent(job);
    await eventually(() => expect(all.events.map(({ event }) => event)).toEqual(['job.queued']));
    await Promise.all([one.close(), all.close()]);
  });

  it('ends when the notifier stops', async () => {
    const other = await startNotifier();
    const { hub, database, queuedJob, run, watch, stop } = other;
    try {
      const job = await queuedJob();
      const { events } = await watch(`/v1/jobs/${job.id}/events`);
      await eventually(() => expect(events).toHaveLength(1));
      await run(job);
      const read = readings();
      const jobVersions: typeof database.jobs.versions = async (ids) => {
        const versions = await database.jobs.versions(ids);
        hub.close();
        return versions;
      };
      await refreshWatched({ database: { jobs: { versions: jobVersions, get: notifier.seen.get } }, hub });
      expect(read).toEqual([]);
    } finally {
      await stop();
    }
  });
});
