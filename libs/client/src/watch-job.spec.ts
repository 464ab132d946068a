import { describe, expect, it } from '@jest/globals';
import { jobDefinitions } from '@offload/jobs/job-types';
import type { Client } from './client.ts';
import type { ClientOptions } from './options.ts';
import type { JobEvent, Snapshot } from './snapshot.ts';
import {
  answer,
  clientOf,
  cut,
  ended,
  events,
  job,
  JOB_ID,
  problem,
  serve,
  silence,
  type Step,
} from './spec-server.ts';

const RETRY = 'retry: 1\n\n';
const frame = (event: string, of: Pick<Snapshot, 'version'>) =>
  `event: job.${event}\nid: ${of.version}\ndata: ${JSON.stringify(of)}\n\n`;
const queued = job();
const running = job({ status: 'running', attempt: 1, version: 2 });
const progress = job({ ...running, version: 3, progress: { percent: 40, message: '4 of 10 s' } });
const done = job({ ...progress, status: 'succeeded', version: 4, result: { sleptMs: 10_000 } });
const path = `/v1/jobs/${JOB_ID}/events`;

/** Starts a notifier that answers by the steps, and makes the handle of a job with its events there. */
async function setup(steps: Step[], options: Partial<ClientOptions> = {}) {
  const notifier = await serve(...steps);
  const links = { self: `/v1/jobs/${JOB_ID}`, events: `${notifier.url}${path}` };
  const api = await serve(answer(200, { ...queued, links }));
  const client: Client = clientOf(api, options);
  return { notifier, api, handle: client.job(jobDefinitions.demoSleep, JOB_ID) };
}

async function seen(stream: AsyncIterable<JobEvent>): Promise<[string, number][]> {
  const list: [string, number][] = [];
  for await (const { event, job } of stream) list.push([event, job.version]);
  return list;
}

it('keeps payload, result and errors, which an event of progress omits', async () => {
  const { payload, result, errors, ...rest } = { ...progress, payload: { seconds: 10 }, errors: [] };
  const first = { ...running, payload, errors };
  const { handle } = await setup([events(frame('running', first), frame('progress', rest), frame('succeeded', done))]);
  const jobs = [];
  for await (const { event, job } of handle.events()) if (event !== 'job.succeeded') jobs.push(job);
  expect(jobs).toEqual([first, { ...progress, payload, result, errors }]);
});

it('yields the job as it is, then each event, and ends after the final one though the stream stays open', async () => {
  const steps = [events(RETRY, frame('queued', queued), ':\n\n', frame('running', running), frame('progress', progress), frame('succeeded', done))]; // prettier-ignore
  const { notifier, handle } = await setup(steps);
  expect(await seen(handle.events())).toEqual([
    ['job.queued', 1],
    ['job.running', 2],
    ['job.progress', 3],
    ['job.succeeded', 4],
  ]);
  expect(handle.snapshot).toEqual(done);
  expect(notifier.received).toMatchObject([
    { path, headers: { accept: expect.stringContaining('text/event-stream') } },
  ]);
  expect(notifier.received[0]?.headers).not.toHaveProperty('last-event-id');
  await notifier.received[0]?.closed; // its socket is free
});

it('reads events that arrive in pieces, also split inside a character', async () => {
  const bytes = Buffer.from(frame('succeeded', job({ ...done, tags: ['größer 🦊'] })));
  const pieces = new ReadableStream({
    start(controller) {
      for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
    },
  });
  const stream = new Response(pieces, { headers: { 'content-type': 'text/event-stream' } });
  const fetch: typeof globalThis.fetch = (url, init) =>
    String(url).endsWith('/events') ? Promise.resolve(stream) : globalThis.fetch(url, init);
  const { handle } = await setup([], { fetch });
  expect(await seen(handle.events())).toEqual([['job.succeeded', 4]]);
  expect(handle.snapshot?.tags).toEqual(['größer 🦊']);
});

it('ends when the server answers 204', async () => {
  const { handle } = await setup([answer(204)]);
  expect(await seen(handle.events())).toEqual([]);
});

describe('connects again with the last event id', () => {
  it('when the stream ends or breaks before the job is finished', async () => {
    const broken: Step = (response, request) => {
      events(frame('progress', progress))(response, request);
      response.write('event: job.succ', () => response.destroy());
    };
    const steps = [ended(RETRY, frame('queued', queued), frame('running', running)), broken, ended(frame('succeeded', done))]; // prettier-ignore
    const { notifier, handle } = await setup(steps);
    expect((await seen(handle.events())).map(([event]) => event)).toEqual([
      'job.queued',
      'job.running',
      'job.progress',
      'job.succeeded',
    ]);
    expect(notifier.received.map(({ headers }) => headers['last-event-id'])).toEqual([undefined, '2', '3']);
  });

  it('when the stream is silent for too long', async () => {
    const { notifier, handle } = await setup([events(RETRY, frame('running', running)), ended(frame('succeeded', done))], { idleTimeoutMs: 500 }); // prettier-ignore
    expect(await seen(handle.events())).toEqual([
      ['job.running', 2],
      ['job.succeeded', 4],
    ]);
    await notifier.received[0]?.closed;
  });

  it("after the server's retry time", async () => {
    const { notifier, handle } = await setup([ended('retry: 300\n\n', frame('queued', queued)), ended(frame('succeeded', done))]); // prettier-ignore
    await seen(handle.events());
    const [first, second] = notifier.received.map(({ at }) => at);
    expect(Number(second) - Number(first)).toBeGreaterThanOrEqual(295);
  });

  it('and yields no event twice', async () => {
    const steps = [ended(RETRY, frame('running', running)), ended(frame('running', running), frame('queued', queued), frame('succeeded', done))]; // prettier-ignore
    const { handle } = await setup(steps);
    expect(await seen(handle.events())).toEqual([
      ['job.running', 2],
      ['job.succeeded', 4],
    ]);
  });

  it('when the server does not answer, or answers 503', async () => {
    const away = problem(503, 'not-now', { 'retry-after': '0' });
    const halfAProblem: Step = (response) => response.writeHead(502).write('{', () => response.destroy());
    const steps = [
      ended(RETRY, frame('queued', queued)),
      cut,
      away,
      silence,
      halfAProblem,
      ended(frame('succeeded', done)),
    ];
    const { notifier, handle } = await setup(steps, { timeoutMs: 500 });
    expect(await seen(handle.events())).toHaveLength(2);
    expect(notifier.received).toHaveLength(6);
  });

  it('at most maxAttempts times in a row', async () => {
    const hello = ended(RETRY, ':\n\n');
    const { notifier, handle } = await setup([hello, cut, hello, cut, answer(502)], { maxAttempts: 2 });
    await expect(seen(handle.events())).rejects.toMatchObject({ name: 'UnexpectedAnswerError', status: 502 });
    expect(notifier.received).toHaveLength(5);
  });
});

it.each([
  ['there is no such job', problem(404, 'job-not-found'), { slug: 'job-not-found' }],
  ['the key has no right', problem(403, 'forbidden'), { status: 403 }],
  ['Retry-After is too long', problem(429, 'rate-limited', { 'retry-after': '3600' }), { retryAfterMs: 3_600_000 }],
  ['the answer is no event stream', answer(200, '<h1>Hello</h1>'), { name: 'UnexpectedAnswerError', status: 200 }],
  ['an event carries no job', events('event: job.queued\ndata: {}\n\n'), { name: 'UnexpectedAnswerError', body: '{}' }],
])('rejects when %s', async (_what, step, error) => {
  const { notifier, handle } = await setup([step]);
  await expect(seen(handle.events())).rejects.toMatchObject(error);
  expect(notifier.received).toHaveLength(1);
});

it('ignores events that are not about a job', async () => {
  const { handle } = await setup([events('data: hello\n\n', 'event: notice\ndata: {}\n\n', frame('succeeded', done))]);
  expect(await seen(handle.events())).toEqual([['job.succeeded', 4]]);
});

it('closes the stream when its reader leaves the loop', async () => {
  const { notifier, handle } = await setup([events(frame('queued', queued))]);
  for await (const { event } of handle.events()) if (event === 'job.queued') break;
  await notifier.received[0]?.closed;
});

it('throws the reason of its signal, and closes the stream', async () => {
  const { notifier, handle } = await setup([events(frame('queued', queued))]);
  const stop = new AbortController();
  const reading = (async () => {
    for await (const { event } of handle.events({ signal: stop.signal }))
      if (event === 'job.queued') stop.abort(new Error('enough'));
  })();
  await expect(reading).rejects.toThrow('enough');
  await notifier.received[0]?.closed;
});

describe('the api key', () => {
  it('goes to the notifier as well', async () => {
    const { notifier, api, handle } = await setup([events(frame('succeeded', done))], { apiKey: 'k-1' });
    await seen(handle.events());
    expect([...api.received, ...notifier.received].map(({ headers }) => headers.authorization)).toEqual([
      'Bearer k-1',
      'Bearer k-1',
    ]);
  });

  it('does not leave TLS', async () => {
    const asked: unknown[] = [];
    const links = { self: `/v1/jobs/${JOB_ID}`, events: `http://notifier.example${path}` };
    const fetch: typeof globalThis.fetch = (url) => {
      asked.push(url);
      return Promise.resolve(Response.json({ ...queued, links }));
    };
    const { handle } = await setup([], { baseUrl: 'https://offload.example', apiKey: 'k-1', fetch });
    await expect(seen(handle.events())).rejects.toThrow(/can't be watched safely$/);
    expect(asked).toEqual([`https://offload.example/v1/jobs/${JOB_ID}`]);
  });
});
