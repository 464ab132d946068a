import { getEventListeners } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { OffloadProblem, UnexpectedAnswerError, UnreachableError } from './errors.ts';
import { answer, clientOf, cut, job, JOB_ID, problem, serve, silence, type Step } from './spec-server.ts';

const found = answer(200, job());
const rejection = (promise: Promise<unknown>) => promise.then(() => undefined, (error: unknown) => error); // prettier-ignore

describe('repeats', () => {
  it.each([
    ['408', problem(408, 'too-slow')],
    ['429', problem(429, 'rate-limited')],
    ['502 of a proxy', answer(502, '<h1>Bad Gateway</h1>', { 'content-type': 'text/html' })],
    ['503', problem(503, 'database-unavailable')],
    ['504', answer(504)],
    ['a connection that was cut', cut],
    ['an answer that broke off', ((response) => response.write('{"id":', () => response.destroy())) as Step],
  ])('after %s', async (_what, step) => {
    const server = await serve(step, step, found);
    expect((await clientOf(server).get(JOB_ID)).snapshot).toEqual(job());
    expect(server.received).toHaveLength(3);
  });

  it('after a time without an answer', async () => {
    const server = await serve(silence, found);
    await clientOf(server, { timeoutMs: 300 }).get(JOB_ID);
    expect(server.received).toHaveLength(2);
  });

  it('not before Retry-After', async () => {
    const server = await serve(problem(503, 'queue-full', { 'retry-after': '1' }), found);
    await clientOf(server).get(JOB_ID);
    const [first, second] = server.received.map(({ at }) => at);
    expect(Number(second) - Number(first)).toBeGreaterThanOrEqual(990);
  });

  it('and frees the socket of a dropped answer', async () => {
    const endless: Step = (response) => void response.writeHead(503).write('wait');
    const server = await serve(endless, found);
    await clientOf(server).get(JOB_ID);
    await server.received[0]?.closed;
  });
});

describe('does not repeat', () => {
  it.each([400, 401, 403, 404, 409, 413, 422, 500, 501])('after %d', async (status) => {
    const server = await serve(problem(status, 'no'), found);
    expect(await rejection(clientOf(server).get(JOB_ID))).toMatchObject({ name: 'OffloadProblem', status });
    expect(server.received).toHaveLength(1);
  });

  it('a request more often than maxAttempts, and throws the last answer', async () => {
    const full = (seconds: string) => problem(503, 'queue-full', { 'retry-after': seconds });
    const server = await serve(full('0'), full('0'), full('7'), found);
    const error = await rejection(clientOf(server, { maxAttempts: 3 }).get(JOB_ID));
    expect(error).toBeInstanceOf(OffloadProblem);
    expect(error).toMatchObject({ slug: 'queue-full', retryAfterMs: 7_000 });
    expect(server.received).toHaveLength(3);
  });

  it('a request whose Retry-After exceeds maxRetryAfterMs', async () => {
    const server = await serve(problem(429, 'rate-limited', { 'retry-after': '61' }), found);
    expect(await rejection(clientOf(server).get(JOB_ID))).toMatchObject({ status: 429, retryAfterMs: 61_000 });
  });

  it('when its signal fires between two attempts', async () => {
    const server = await serve(problem(503, 'no', { 'retry-after': '60' }), found);
    const stop = new AbortController();
    const call = rejection(clientOf(server).get(JOB_ID, { signal: stop.signal }));
    await server.received[0]?.closed;
    await server.untilReceived(1);
    stop.abort(new Error('enough'));
    expect(await call).toEqual(new Error('enough'));
    expect(server.received).toHaveLength(1);
  });
});

it('names the unreachable server, and the reason', async () => {
  const server = await serve(cut, cut);
  const error = await rejection(clientOf(server, { maxAttempts: 2 }).get(JOB_ID));
  expect(error).toBeInstanceOf(UnreachableError);
  expect((error as Error).message).toMatch(/^GET http:.*: fetch failed: \w/);
  expect((error as Error).cause).toMatchObject({ message: 'fetch failed' });
});

it('rejects with UnreachableError when there is no answer in time', async () => {
  const error = await rejection(clientOf(await serve(silence), { timeoutMs: 50, maxAttempts: 1 }).get(JOB_ID));
  expect((error as Error).message).toMatch(/: no answer within 50 ms$/);
});

it('rejects with the reason of a signal that fires, or has fired', async () => {
  const server = await serve(silence);
  const stop = new AbortController();
  const call = rejection(clientOf(server).get(JOB_ID, { signal: stop.signal }));
  await server.untilReceived(1);
  stop.abort();
  expect(await call).toBe(stop.signal.reason);
  expect(await rejection(clientOf(server).get(JOB_ID, { signal: stop.signal }))).toBe(stop.signal.reason);
  expect(server.received).toHaveLength(1);
});

it('leaves no listener on a signal that many calls share', async () => {
  const server = await serve(...Array.from({ length: 40 }, () => found));
  const { signal } = new AbortController();
  const client = clientOf(server);
  const calls = Array.from({ length: 20 }, () => client.get(JOB_ID, { signal }));
  expect(getEventListeners(signal, 'abort').length).toBeLessThanOrEqual(1);
  await Promise.all(calls);
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});

describe('the api key', () => {
  it('goes to the api', async () => {
    const server = await serve(found);
    await clientOf(server, { apiKey: 'k-1' }).get(JOB_ID);
    expect(server.received[0]?.headers.authorization).toBe('Bearer k-1');
  });

  it('does not follow a redirect', async () => {
    const elsewhere = await serve(found);
    const server = await serve(answer(307, undefined, { location: `${elsewhere.url}/v1/jobs/${JOB_ID}` }));
    const error = await rejection(clientOf(server, { apiKey: 'k-1' }).get(JOB_ID));
    expect(error).toBeInstanceOf(UnexpectedAnswerError);
    expect(error).toMatchObject({ status: 307 });
    expect(elsewhere.received).toEqual([]);
  });
});
