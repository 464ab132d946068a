import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { startSystem, type System, type SystemProcess, startTarget, type Target } from '@offload/running-system';
import { openEvents, finished, post, submit } from '@offload/running-system/requests';
import type { JobWithLinks } from '@offload/jobs/answers';

let system: System;
let api: SystemProcess;
let worker: SystemProcess;
let notifiers: [SystemProcess, SystemProcess];
let target: Target;

beforeAll(async () => {
  target = await startTarget();
  system = await startSystem();
  [api, worker, ...notifiers] = await Promise.all([
    system.startApi(),
    system.startWorker({ ALLOW_PRIVATE_TARGETS: 'true' }),
    system.startNotifier(),
    system.startNotifier({ SHUTDOWN_GRACE_MS: '2000' }), // a client keeps an idle connection for longer
  ]);
});
afterAll(() => {
  target?.close();
  return system?.stop();
});

const running = { status: 'running', attempt: 1, version: 2, startedAt: expect.any(String) };

it('answers 202 with Location and Retry-After, and the job succeeds with its result', async () => {
  const submission = { type: 'demo.sleep', payload: { seconds: 0.1 }, tags: ['nightly'], maxAttempts: 3, priority: 4 };
  const response = await post(api, submission, { 'x-request-id': 'round-trip-1' });
  const accepted = (await response.json()) as JobWithLinks;

  expect(response.status).toBe(202);
  expect(response.headers.get('location')).toBe(`/v1/jobs/${accepted.id}`);
  expect(response.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
  expect(response.headers.get('x-request-id')).toBe('round-trip-1');
  expect(accepted).toEqual({
    ...submission,
    id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
    queue: 'default',
    status: 'queued',
    result: null,
    error: null,
    errors: [],
    progress: null,
    attempt: 0,
    version: 1,
    createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    dueAt: expect.any(String),
    startedAt: null,
    finishedAt: null,
    durationMs: null,
    links: { self: `/v1/jobs/${accepted.id}`, events: `http://notifier.example/v1/jobs/${accepted.id}/events` },
  });

  const job = await finished(api, accepted);
  expect(job).toMatchObject({ status: 'succeeded', attempt: 1, error: null, errors: [], tags: ['nightly'] });
  expect((job.result as { sleptMs: number }).sleptMs).toBeGreaterThanOrEqual(100);
  expect(job.durationMs).toBe(Date.parse(job.finishedAt as string) - Date.parse(job.startedAt as string));
});

it('makes a request id if the request has none', async () => {
  const response = await fetch(`${api.url}/v1/jobs`);
  expect(response.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
});

it('answers 304 until the job has changed', async () => {
  const { id } = await submit(api, { type: 'demo.sleep', payload: { seconds: 0 }, delayMs: 3_600_000 });
  const first = await fetch(`${api.url}/v1/jobs/${id}`);
  const etag = first.headers.get('etag') ?? '';
  expect(etag).toBe('W/"1"');
  expect(Number(first.headers.get('retry-after'))).toBeGreaterThan(3_500);
  expect((await fetch(`${api.url}/v1/jobs/${id}`, { headers: { 'if-none-match': etag } })).status).toBe(304);
  expect((await fetch(`${api.url}/v1/jobs/${id}`, { headers: { 'if-none-match': 'W/"2"' } })).status).toBe(200);
});

it('streams the same events of a job from both notifiers, in the same order', async () => {
  const streams = await Promise.all(notifiers.map(({ url }) => openEvents(`${url}/v1/events?tag=watched`)));
  await submit(api, { type: 'demo.sleep', payload: { seconds: 0 } }); // filtered out
  const job = await submit(api, { type: 'demo.sleep', payload: { seconds: 1.9 }, tags: ['watched'] });
  const seen = await Promise.all(streams.map((stream) => stream.until(({ event }) => event === 'job.succeeded')));
  await Promise.all(streams.map((stream) => stream.close()));

  const [one, other] = seen.map((events) => events.map(({ event, id, job }) => [event, id, job.id, job.version]));
  expect(one).toEqual([
    ['job.queued', '1', job.id, 1],
    ['job.running', '2', job.id, 2],
    ['job.progress', '3', job.id, 3],
    ['job.succeeded', '4', job.id, 4],
  ]);
  expect(other).toEqual(one);
  expect(seen[0]).toEqual(seen[1]);
  expect(seen[0]?.at(2)?.job.progress).toEqual({ percent: 52, message: '1 of 1.9 s' });
  expect(seen[0]?.at(-1)?.job.result).toEqual({ sleptMs: expect.any(Number) });
});

it('shows a late client the current job first, and ends its stream after the last event', async () => {
  const job = await submit(api, { type: 'http.request', payload: { url: target.url } });
  const call = await target.next();
  const streams = await Promise.all(notifiers.map(({ url }) => openEvents(`${url}/v1/jobs/${job.id}/events`)));
  for (const stream of streams) {
    expect(stream.headers.get('content-type')).toMatch(/^text\/event-stream/);
    expect(await stream.next()).toMatchObject({ event: 'job.running', id: '2', job: { ...job, ...running } });
  }

  call.answer(200, 'done');
  const [one, other] = await Promise.all(streams.map((stream) => stream.until(() => false)));
  expect(one?.map(({ event, id }) => [event, id])).toEqual([['job.succeeded', '3']]);
  expect(other).toEqual(one);
});

it('shows a finished job once and ends the stream, and answers 204 to a client that has seen it', async () => {
  const job = await submit(api, { type: 'demo.sleep', payload: { seconds: 0 } });
  const { version } = await finished(api, job);
  const url = `${notifiers[0].url}/v1/jobs/${job.id}/events`;

  const events = await (await openEvents(url)).until(() => false);
  expect(events.map(({ event, id }) => [event, id])).toEqual([['job.succeeded', String(version)]]);
  expect((await openEvents(url, String(version))).status).toBe(204);
  expect((await (await openEvents(url, String(version - 1))).next())?.event).toBe('job.succeeded');
});

it('answers 404 and 400 to a client that watches an unknown or malformed id', async () => {
  const [{ url }] = notifiers;
  const unknown = await fetch(`${url}/v1/jobs/01900000-0000-7000-8000-000000000000/events`);
  expect(await unknown.json()).toMatchObject({ status: 404, type: '/problems/job-not-found' });
  const bad = await fetch(`${url}/v1/jobs/seven/events`);
  expect(await bad.json()).toMatchObject({ status: 400, errors: [{ parameter: 'id', detail: 'must be a UUID' }] });
  const filter = await fetch(`${url}/v1/events?colour=red`);
  expect(await filter.json()).toMatchObject({ status: 400, errors: [{ parameter: 'colour' }] });
});

it('lists jobs newest first, by status and page by page', async () => {
  const jobs = [];
  for (let index = 0; index < 5; index += 1) {
    jobs.push(await submit(api, { type: 'demo.sleep', payload: { seconds: 0 }, delayMs: 3_600_000 + index }));
  }
  const listed: string[] = [];
  let next = '';
  do {
    const response = await fetch(`${api.url}/v1/jobs?status=scheduled&limit=2${next}`);
    const page = (await response.json()) as { jobs: { id: string }[]; nextCursor: string | null };
    expect(page.jobs.length).toBeLessThanOrEqual(2);
    listed.push(...page.jobs.map(({ id }) => id));
    next = page.nextCursor === null ? '' : `&cursor=${page.nextCursor}`;
  } while (next !== '');
  expect(listed.slice(0, 5)).toEqual(jobs.map(({ id }) => id).reverse());
  expect(new Set(listed).size).toBe(listed.length);
});

it('lists the job types with the schemas of payload and result', async () => {
  const response = await fetch(`${api.url}/v1/job-types`);
  const { jobTypes } = (await response.json()) as { jobTypes: { type: string }[] };
  expect(jobTypes.find(({ type }) => type === 'demo.echo')).toMatchObject({
    queue: 'default',
    maxAttempts: 5,
    payloadSchema: { type: 'object' },
  });
});

it('ends on SIGTERM within its grace with exit code 0, also with open streams', async () => {
  const stream = await openEvents(`${notifiers[1].url}/v1/events`);
  const processes = [api, worker, ...notifiers];
  expect(await Promise.all(processes.map((each) => each.kill('SIGTERM')))).toEqual([0, 0, 0, 0]);
  expect(await stream.next()).toBeUndefined();
  for (const { log } of processes) expect(log.filter(({ level }) => ['error', 'fatal'].includes(level))).toEqual([]);
});
