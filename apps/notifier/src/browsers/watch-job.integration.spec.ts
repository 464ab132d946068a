import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Job } from '@offload/jobs';
import { eventOf } from '@offload/jobs/events';
import { DatabaseUnavailableError } from '@offload/database';
import { eventually } from '@offload/spec-kit';
import { startNotifier, type SpecNotifier } from './spec-notifier.ts';

let notifier: SpecNotifier;
beforeAll(async () => void (notifier = await startNotifier()));
afterEach(() => void Object.assign(notifier.seen, notifier.database.jobs));
afterAll(() => notifier.stop());

const pathOf = ({ id }: Pick<Job, 'id'>): string => `/v1/jobs/${id}/events`;

describe('GET /v1/jobs/{id}/events', () => {
  it('shows the current job, then each event, and ends after the final one', async () => {
    const { queuedJob, watch, run, publishEvent } = notifier;
    const job = await queuedJob();
    const { response, events, retries, ended } = await watch(pathOf(job));
    const headers = ['content-type', 'cache-control', 'x-accel-buffering'].map((name) => response.headers.get(name));
    expect(headers).toEqual(['text/event-stream; charset=utf-8', 'no-store, no-transform', 'no']);
    await eventually(() => expect(events).toHaveLength(1));
    const { running, succeeded } = await run(job);
    await publishEvent(running);
    await publishEvent(succeeded);
    await ended;
    expect(events.map(({ event, id }) => [event, id])).toEqual([
      ['job.queued', '1'],
      ['job.running', '2'],
      ['job.succeeded', '3'],
    ]);
    expect(events[2]?.job).toMatchObject({ id: job.id, result: { ok: true } });
    expect(events[2]?.job.links.events).toBe(`http://notifier.test${pathOf(job)}`);
    expect(retries).toHaveLength(1);
  });

  it('shows a late watcher the current job first', async () => {
    const job = await notifier.queuedJob();
    await notifier.run(job);
    const { events, ended } = await notifier.watch(pathOf(job));
    await ended; // the job is finished: no event follows
    expect(events.map(({ event }) => event)).toEqual(['job.succeeded']);
  });

  it('drops events that are older than the shown job, and events that arrive twice', async () => {
    const { queuedJob, claim, succeed, watch, publishEvent } = notifier;
    const job = await queuedJob();
    const running = await claim(job);
    const { events, ended } = await watch(pathOf(job));
    await eventually(() => expect(events).toHaveLength(1));
    await publishEvent(job);
    await publishEvent(running);
    await publishEvent(await succeed(running, 1));
    await ended;
    expect(events.map(({ event }) => event)).toEqual(['job.running', 'job.succeeded']);
  });

  it('misses nothing that happens while the job is being read, and shows it once and in order', async () => {
    const { database, seen, hub, queuedJob, claim, succeed, watch } = notifier;
    const job = await queuedJob();
    const all: Job[] = [job];
    seen.get = async (id) => {
      const read = await database.jobs.get(id); // the read job is old before it arrives
      all.push(await claim(job));
      for (const percent of [10, 20]) {
        all.push((await database.jobs.reportProgress(id, 1, { percent, message: null })) as Job);
      }
      for (const at of [2, 1, 2, 0, 3]) hub.publish(eventOf(all[at] as Job));
      return read;
    };
    const { events, ended } = await watch(pathOf(job));
    await eventually(() => expect(events).toHaveLength(4));
    hub.publish(eventOf(all[1] as Job));
    hub.publish(eventOf(await succeed(all[1] as Job, null)));
    await ended;
    expect(events.map(({ id }) => id)).toEqual(['1', '2', '3', '4', '5']);
    expect(events.at(-1)?.event).toBe('job.succeeded');
  });

  it('sends no seen version again, and answers 204 when no event will follow', async () => {
    const { queuedJob, watch, run, publishEvent, base } = notifier;
    const job = await queuedJob();
    const seen = await watch(pathOf(job), { 'Last-Event-ID': '1' });
    const { running, succeeded } = await run(job);
    await publishEvent(running);
    await publishEvent(succeeded);
    await seen.ended;
    expect(seen.events.map(({ id }) => id)).toEqual(['2', '3']);
    const after = await fetch(base + pathOf(job), { headers: { 'Last-Event-ID': '3' } });
    expect(after.status).toBe(204);
  });

  it('ignores a claim to have seen a version that does not exist', async () => {
    const { queuedJob, watch, run, publishEvent } = notifier;
    const job = await queuedJob();
    const { events, ended } = await watch(pathOf(job), { 'Last-Event-ID': '999' });
    await publishEvent((await run(job)).succeeded);
    await ended;
    expect(events.map(({ event }) => event)).toEqual(['job.succeeded']);
  });

  it('shows a job that was retried by hand to a client that reconnects after its first end', async () => {
    const { database, queuedJob, claim, watch } = notifier;
    const job = await queuedJob();
    const { attempt } = await claim(job);
    const error = { code: 'permanent', message: 'no luck', attempt };
    await database.jobs.settle({ jobId: job.id, attempt, outcome: { status: 'failed', error } });
    await database.jobs.retry(job.id);
    const { events, close } = await watch(pathOf(job), { 'Last-Event-ID': '3' });
    await eventually(() => expect(events.map(({ event, id }) => [event, id])).toEqual([['job.queued', '4']]));
    await close();
  });

  it('sends a job that is larger than a slow reader may be behind', async () => {
    const job = await notifier.queuedJob();
    const result = 'x'.repeat(6 * 1024 * 1024);
    await notifier.run(job, result);
    const { events, ended } = await notifier.watch(pathOf(job));
    await ended;
    expect(events[0]?.job.result).toBe(result);
  });

  it('answers problems for an unknown job, a bad id and another method', async () => {
    const { base, hub } = notifier;
    const unknown = await fetch(base + pathOf({ id: randomUUID() }));
    expect([unknown.status, ((await unknown.json()) as { type: string }).type]).toEqual([
      404,
      '/problems/job-not-found',
    ]);
    expect((await fetch(base + pathOf({ id: 'nope' }))).status).toBe(400);
    for (const method of ['HEAD', 'POST']) {
      expect((await fetch(base + pathOf({ id: randomUUID() }), { method })).status).toBe(405);
    }
    expect(hub.watchedJobs()).toEqual([]);
  });

  it('forgets watchers that have gone', async () => {
    const { queuedJob, watch, hub } = notifier;
    const job = await queuedJob();
    const { events, close } = await watch(pathOf(job));
    await eventually(() => expect(events).toHaveLength(1));
    expect(hub.watchedJobs()).toEqual([job.id]);
    await close();
    await eventually(() => expect(hub.watchedJobs()).toEqual([]));
  });

  it('makes a browser reconnect while the database is away, and answers others with a problem', async () => {
    const { seen, watch, base, hub } = notifier;
    seen.get = () => Promise.reject(new DatabaseUnavailableError(new Error('spec')));
    const path = pathOf({ id: randomUUID() });
    const { response, events, retries, ended } = await watch(path, { Accept: 'text/event-stream' });
    await ended;
    expect([response.status, events, retries.length]).toEqual([200, [], 2]);
    expect((await fetch(base + path)).status).toBe(503);
    expect(hub.watchedJobs()).toEqual([]);
  });
});
