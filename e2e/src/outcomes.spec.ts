import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import type { JobWithLinks } from '@offload/jobs/answers';
import {
  agreedProfile,
  publishedCsv,
  startSystem,
  type System,
  type SystemProcess,
  startTarget,
  type Target,
} from '@offload/running-system';
import { finished, post, submit } from '@offload/running-system/requests';

let system: System;
let api: SystemProcess;
let target: Target;

beforeAll(async () => {
  system = await startSystem();
  [api] = await Promise.all([
    system.startApi({ QUEUES: 'default,guarded' }),
    system.startWorker({ QUEUES: 'default', ALLOW_PRIVATE_TARGETS: 'true' }),
    system.startWorker({ QUEUES: 'guarded' }),
  ]);
});
beforeEach(async () => {
  target = await startTarget();
});
afterEach(() => target.close());
afterAll(() => system?.stop());

it('does not run a delayed job before it is due', async () => {
  const response = await post(api, { type: 'demo.sleep', payload: { seconds: 0 }, delayMs: 1_500 });
  const job = (await response.json()) as JobWithLinks;
  expect(job).toMatchObject({ status: 'scheduled', attempt: 0, startedAt: null });
  expect(Date.parse(job.dueAt) - Date.parse(job.createdAt)).toBe(1_500);
  expect(response.headers.get('retry-after')).toMatch(/^[12]$/);

  const done = await finished(api, job);
  expect(done).toMatchObject({ status: 'succeeded', attempt: 1, dueAt: job.dueAt });
  expect(Date.parse(done.startedAt as string)).toBeGreaterThanOrEqual(Date.parse(job.dueAt));
});

it('retries a failing job and keeps the errors of earlier attempts', async () => {
  const job = await submit(api, {
    type: 'http.request',
    payload: { url: target.url },
    backoff: { baseMs: 100, factor: 1, maxMs: 100 },
  });
  (await target.next()).answer(503);
  (await target.next()).answer(503);
  (await target.next()).answer(200, 'at last');

  const done = await finished(api, job);
  expect(done).toMatchObject({ status: 'succeeded', attempt: 3, maxAttempts: 5, error: null });
  expect(done.result).toMatchObject({ status: 200, body: 'at last' });
  expect(done.errors.map(({ code, attempt }) => [code, attempt])).toEqual([
    ['handler-error', 1],
    ['handler-error', 2],
  ]);
  expect(done.errors[0]?.message).toContain('503');
});

it('fails a job at its last attempt', async () => {
  const backoff = { baseMs: 0, factor: 1, maxMs: 0 };
  const job = await submit(api, { type: 'http.request', payload: { url: target.url }, maxAttempts: 2, backoff });
  (await target.next()).answer(500);
  (await target.next()).answer(500);

  const done = await finished(api, job);
  expect(done).toMatchObject({ status: 'failed', attempt: 2, result: null });
  expect(done.error).toMatchObject({ code: 'handler-error', attempt: 2 });
  expect(done.errors).toEqual([expect.objectContaining({ code: 'handler-error', attempt: 1 })]);
  expect(target.requests).toBe(2);
});

it('fails a job at once with a permanent error', async () => {
  const job = await submit(api, { type: 'http.request', payload: { url: target.url } });
  (await target.next()).answer(404);

  const done = await finished(api, job);
  expect(done).toMatchObject({ status: 'failed', attempt: 1, result: null, errors: [] });
  expect(done.error).toMatchObject({ code: 'permanent', attempt: 1, message: expect.stringContaining('404') });
  expect(target.requests).toBe(1);
});

it('ends an attempt after its timeout', async () => {
  const job = await submit(api, { type: 'demo.sleep', payload: { seconds: 5 }, timeoutMs: 200, maxAttempts: 1 });
  const done = await finished(api, job);
  expect(done).toMatchObject({ status: 'failed', attempt: 1, error: { code: 'timeout', attempt: 1 } });
});

it('refuses internal targets unless the worker is configured to allow them', async () => {
  const job = await submit(api, { type: 'http.request', payload: { url: target.url }, queue: 'guarded' });
  const csv = await submit(api, { type: 'csv.profile', payload: { url: target.url }, queue: 'guarded' });
  for (const each of [job, csv]) {
    const done = await finished(api, each);
    expect(done).toMatchObject({ status: 'failed', attempt: 1, error: { code: 'permanent' } });
    expect(done.error?.message).toContain('127.0.0.1');
  }
  expect(target.requests).toBe(0);
});

it('downloads the CSV of a URL', async () => {
  const job = await submit(api, { type: 'csv.profile', payload: { url: target.url } });
  (await target.next()).answer(200, 'name,age\nAnn,30\nBob,40\n');
  const done = await finished(api, job);
  expect(done.result).toMatchObject({
    rows: 2,
    columns: [
      { name: 'name', type: 'string' },
      { name: 'age', mean: 35 },
    ],
  });
});

it('names the malformed line of a CSV, and does not retry', async () => {
  const job = await submit(api, { type: 'csv.profile', payload: { csv: 'a,b\n1,2\n1,2,3\n' } });
  const done = await finished(api, job);
  expect(done).toMatchObject({ status: 'failed', attempt: 1, error: { code: 'permanent' } });
  expect(done.error?.message).toMatch(/line 3/i);
});

it.each(['seattle-weather.csv', 'airports.csv', 'la-riots.csv', 'seattle-weather-hourly-normals.csv'])(
  'profiles the published data set %s as an independent program does',
  async (name) => {
    const { csv, profile } = await publishedCsv(name);
    const done = await finished(api, await submit(api, { type: 'csv.profile', payload: { csv } }));
    expect(done).toMatchObject({ status: 'succeeded', attempt: 1 });
    expect(agreedProfile(done.result)).toEqual(profile);
  },
);
