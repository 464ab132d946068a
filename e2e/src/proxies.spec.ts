import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '@offload/spec-kit';
import type { JobWithLinks } from '@offload/jobs/answers';
import { startSystem, type System, type SystemProcess } from '@offload/running-system';
import { openEvents, getJob, submit } from '@offload/running-system/requests';
import { provideNginx, startExpressProxy, startNginx, type WebProxy } from './proxies.ts';

let system: System;
let api: SystemProcess;
let notifier: SystemProcess;

beforeAll(async () => {
  await provideNginx();
  system = await startSystem();
  [api, notifier] = await Promise.all([system.startApi(), system.startNotifier()]);
}, 180_000); // nginx may have to be installed
afterAll(() => system?.stop());

describe.each([
  ['Express with compression', startExpressProxy],
  ['nginx', startNginx],
])('behind %s', (_name, start) => {
  let proxy: WebProxy;

  beforeAll(async () => {
    proxy = await start({ api: api.url, notifier: notifier.url });
  });
  afterAll(() => proxy?.stop());

  const cancel = (id: string) => fetch(`${proxy.url}/v1/jobs/${id}/cancel`, { method: 'POST' });
  const later = (tag: string) => submit(proxy, { type: 'demo.sleep', payload: {}, delayMs: 60_000, tags: [tag] });

  // A buffered event would never arrive, because the next event is made only after it has.
  it('the current job arrives, and then each event before the next is made', async () => {
    const job = await later('one');
    const stream = await openEvents(`${proxy.url}/v1/jobs/${job.id}/events`);
    expect(await stream.next()).toMatchObject({ event: 'job.scheduled', job: { id: job.id } });
    await cancel(job.id);
    expect(await stream.next()).toMatchObject({ event: 'job.cancelled', job: { id: job.id } });
    expect(await stream.next()).toBeUndefined();
  });

  it('the beginning of a stream arrives before any event, and then the events of all jobs', async () => {
    const tag = randomUUID();
    const jobs = await Promise.all([later(tag), later(tag), later(tag)]);
    const first = await fetch(`${proxy.url}/v1/events?tag=${tag}`);
    const reader = first.body?.getReader();
    expect(new TextDecoder().decode((await reader?.read())?.value)).toMatch(/^retry: /);
    await reader?.cancel();
    const stream = await openEvents(`${proxy.url}/v1/events?tag=${tag}`);
    expect(stream.headers.get('cache-control')).toBe('no-store, no-transform');
    for (const { id } of jobs) {
      await cancel(id);
      expect(await stream.next()).toMatchObject({ event: 'job.cancelled', job: { id } });
    }
    await stream.close();
  });

  it('an answer is held until its job is finished, and then arrives at once', async () => {
    const tag = randomUUID();
    const body = JSON.stringify({ type: 'demo.sleep', payload: {}, delayMs: 60_000, tags: [tag] });
    const headers = { 'content-type': 'application/json', prefer: 'wait=30' };
    const held = fetch(`${proxy.url}/v1/jobs`, { method: 'POST', headers, body });
    const id = await eventually(async () => {
      const { jobs } = (await (await fetch(`${api.url}/v1/jobs?tag=${tag}`)).json()) as { jobs: JobWithLinks[] };
      expect(jobs).toHaveLength(1);
      return jobs[0]?.id ?? '';
    });
    await cancel(id);
    const answer = await held;
    expect([answer.status, answer.headers.get('preference-applied')]).toEqual([200, 'wait=30']);
    expect(await answer.json()).toMatchObject({ id, status: 'cancelled' });
    expect(await getJob(api, id)).toMatchObject({ status: 'cancelled' });
  });
});
