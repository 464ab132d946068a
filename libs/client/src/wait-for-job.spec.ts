import { expect, it } from '@jest/globals';
import { JobCancelledError, JobFailedError, WaitTimeoutError } from './errors.ts';
import { answer, clientOf, job, JOB_ID, later, problem, serve, silence, succeeded } from './spec-server.ts';

const rejection = (promise: Promise<unknown>) => promise.then(() => undefined, (error: unknown) => error); // prettier-ignore

it('asks the api to hold its answer for a minute, and resolves with the result', async () => {
  const server = await serve(answer(200, succeeded(), { etag: 'W/"3"' }));
  const handle = clientOf(server).job(JOB_ID);
  expect(await handle.wait()).toEqual({ sleptMs: 1_000 });
  expect(server.received).toMatchObject([
    { method: 'GET', path: `/v1/jobs/${JOB_ID}`, headers: { prefer: 'wait=60' } },
  ]);
  expect(handle.snapshot).toEqual(succeeded());
  expect(await handle.wait()).toEqual({ sleptMs: 1_000 });
  expect(server.received).toHaveLength(1);
});

it('reads again at once after an answer that was held for the full time', async () => {
  const held = later(1_010, answer(304, undefined, { 'retry-after': '60', 'preference-applied': 'wait=1' }));
  const server = await serve(answer(200, job(), { etag: 'W/"1"' }), held, answer(200, succeeded()));
  const handle = clientOf(server).job(JOB_ID);
  await handle.refresh();
  expect(await handle.wait({ timeoutMs: 1_990 })).toEqual({ sleptMs: 1_000 });
  expect(server.received.map(({ headers }) => [headers.prefer, headers['if-none-match']])).toEqual([
    [undefined, undefined],
    ['wait=1', 'W/"1"'],
    ['wait=1', 'W/"1"'],
  ]);
});

it('reads again after Retry-After where answers are not held', async () => {
  const server = await serve(answer(200, job(), { 'retry-after': '1' }), answer(200, succeeded()));
  await clientOf(server).job(JOB_ID).wait();
  const [first, second] = server.received.map(({ at }) => at);
  expect(Number(second) - Number(first)).toBeGreaterThanOrEqual(990);
});

it('asks for no held answer when too many are held, after Retry-After', async () => {
  const tooMany = problem(429, 'too-many-waiters', { 'retry-after': '0' });
  const server = await serve(tooMany, answer(200, job(), { 'retry-after': '0' }), answer(200, succeeded()));
  await clientOf(server, { maxAttempts: 1 }).job(JOB_ID).wait();
  expect(server.received.map(({ headers }) => headers.prefer)).toEqual(['wait=60', undefined, undefined]);
});

it('goes on when the api is away for a while', async () => {
  const server = await serve(problem(503, 'database-unavailable', { 'retry-after': '0' }), answer(200, succeeded()));
  expect(await clientOf(server).job(JOB_ID).wait()).toEqual({ sleptMs: 1_000 });
});

it('rejects with the failed job', async () => {
  const error = { code: 'timeout', message: 'took longer than 1000 ms', attempt: 5, at: '2026-11-21T10:00:00.000Z' };
  const failed = job({ status: 'failed', error, version: 9 });
  const thrown = await rejection(clientOf(await serve(answer(200, failed))).job(JOB_ID).wait()); // prettier-ignore
  expect(thrown).toBeInstanceOf(JobFailedError);
  expect(thrown).toMatchObject({ code: 'job-failed', job: failed });
  expect((thrown as Error).message).toBe(`Job ${JOB_ID} failed: took longer than 1000 ms (timeout)`);
});

it('rejects with the cancelled job', async () => {
  const cancelled = job({ status: 'cancelled', version: 2 });
  const thrown = await rejection(clientOf(await serve(answer(200, cancelled))).job(JOB_ID).wait()); // prettier-ignore
  expect(thrown).toBeInstanceOf(JobCancelledError);
  expect(thrown).toMatchObject({ code: 'job-cancelled', job: cancelled, message: `Job ${JOB_ID} was cancelled` });
});

it('rejects when the time is over, with the job as seen last, and aborts its request', async () => {
  const running = job({ status: 'running', version: 2 });
  const server = await serve(answer(200, running, { 'retry-after': '0' }), silence);
  const thrown = await rejection(clientOf(server).job(JOB_ID).wait({ timeoutMs: 500 }));
  expect(thrown).toBeInstanceOf(WaitTimeoutError);
  expect(thrown).toMatchObject({ code: 'wait-timeout', job: running });
  expect((thrown as Error).message).toBe(`Job ${JOB_ID} was not finished within 500 ms: it is running`);
  await server.received[1]?.closed;
});

it('asks for answers that are held no longer than its own timeout', async () => {
  const server = await serve(answer(200, succeeded()));
  await clientOf(server).job(JOB_ID).wait({ timeoutMs: 7_500 });
  expect(server.received[0]?.headers.prefer).toBe('wait=7');
});

it('rejects with the reason of its signal, between two requests too', async () => {
  const server = await serve(answer(200, job(), { 'retry-after': '60' }));
  const stop = new AbortController();
  const waiting = rejection(clientOf(server).job(JOB_ID).wait({ signal: stop.signal }));
  await server.untilReceived(1);
  await server.received[0]?.closed;
  stop.abort(new Error('enough'));
  expect(await waiting).toEqual(new Error('enough'));
});

it.each([-1, Infinity, NaN])('refuses to wait for %d ms', async (timeoutMs) => {
  await expect(
    clientOf(await serve())
      .job(JOB_ID)
      .wait({ timeoutMs }),
  ).rejects.toThrow(/^timeoutMs: must be/);
});

it('rejects when there is no such job', async () => {
  const waiting = clientOf(await serve(problem(404, 'job-not-found'))).job(JOB_ID).wait(); // prettier-ignore
  await expect(waiting).rejects.toMatchObject({ slug: 'job-not-found' });
});
