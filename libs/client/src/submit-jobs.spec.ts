import { describe, expect, it } from '@jest/globals';
import { jobDefinitions } from '@offload/jobs/job-types';
import { answer, clientOf, cut, job, JOB_ID, later, problem, serve, succeeded } from './spec-server.ts';

const { demoSleep } = jobDefinitions;
const UUID_KEY = /^"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"$/;
const accepted = answer(202, job(), { location: `/v1/jobs/${JOB_ID}`, 'retry-after': '1' });
const otherId = '01a1fba9-679a-75c8-9117-2a8c29e05855';

describe('submit', () => {
  it('posts type, payload and the options of the job, and nothing else', async () => {
    const server = await serve(accepted);
    const options = { priority: 5, dedupeKey: 'invoice-42', tags: ['nightly'], runAt: new Date(0), maxAttempts: 2 };
    const own = { idempotencyKey: 'k', signal: new AbortController().signal, waitSeconds: 0 };
    const submitted = await clientOf(server).submit(demoSleep, { seconds: 10 }, { ...options, ...own });

    expect(server.received).toMatchObject([{ method: 'POST', path: '/v1/jobs' }]);
    expect(server.received[0]?.body).toEqual({
      type: 'demo.sleep',
      payload: { seconds: 10 },
      ...options,
      runAt: '1970-01-01T00:00:00.000Z',
    });
    expect(server.received[0]?.headers).toMatchObject({ 'content-type': 'application/json', 'idempotency-key': '"k"' });
    expect(server.received[0]?.headers).not.toHaveProperty('prefer');
    expect(submitted).toMatchObject({ id: JOB_ID, snapshot: job(), deduplicated: false });
  });

  it('accepts the name of a type instead of a definition', async () => {
    const server = await serve(accepted);
    await clientOf(server).submit('demo.sleep', { seconds: 10 });
    expect(server.received[0]?.body).toEqual({ type: 'demo.sleep', payload: { seconds: 10 } });
  });

  it('repeats with the same idempotency key, which is new with each call', async () => {
    const inFlight = problem(409, 'idempotency-key-in-flight', { 'retry-after': '0' });
    const replayed = answer(202, job(), { 'idempotency-replayed': 'true' });
    const server = await serve(cut, problem(503, 'queue-full'), inFlight, replayed, accepted);
    const client = clientOf(server);
    await client.submit(demoSleep, {});
    await client.submit(demoSleep, {});

    const keys = server.received.map(({ headers }) => headers['idempotency-key']);
    expect(keys[0]).toMatch(UUID_KEY);
    expect(new Set(keys.slice(0, 4)).size).toBe(1);
    expect(keys[4]).toMatch(UUID_KEY);
    expect(keys[4]).not.toBe(keys[0]);
    expect(server.received.slice(0, 4).map(({ body }) => body)).toEqual(Array(4).fill(server.received[0]?.body));
  });

  it('repeats the submitted payload, even if the caller changes the object meanwhile', async () => {
    const payload = { seconds: 1 };
    const server = await serve((response, request) => {
      payload.seconds = 2;
      return cut(response, request);
    }, accepted);
    await clientOf(server).submit(demoSleep, payload);
    expect(server.received.map(({ body }) => (body as { payload: object }).payload)).toEqual([
      { seconds: 1 },
      { seconds: 1 },
    ]);
  });

  it('gives up a key that stays in flight', async () => {
    const inFlight = problem(409, 'idempotency-key-in-flight', { 'retry-after': '0' });
    const client = clientOf(await serve(inFlight, inFlight), { maxAttempts: 2 });
    await expect(client.submit(demoSleep, {})).rejects.toMatchObject({ slug: 'idempotency-key-in-flight' });
  });

  it('escapes an idempotency key, and refuses one with other characters', async () => {
    const server = await serve(accepted);
    const client = clientOf(server);
    await client.submit(demoSleep, {}, { idempotencyKey: 'say "a\\b"' });
    expect(server.received[0]?.headers['idempotency-key']).toBe('"say \\"a\\\\b\\""');
    for (const idempotencyKey of ['', 'ä', 'a\nb', 'a'.repeat(256)]) {
      await expect(client.submit(demoSleep, {}, { idempotencyKey })).rejects.toThrow(/^idempotencyKey: must be/);
    }
  });

  it('does not repeat a request whose key belongs to another request', async () => {
    const server = await serve(problem(422, 'idempotency-key-reused'));
    const call = clientOf(server).submit(demoSleep, {}, { idempotencyKey: 'k' });
    await expect(call).rejects.toMatchObject({ status: 422, slug: 'idempotency-key-reused' });
  });

  it('asks for a held answer, and resolves with the finished job', async () => {
    const server = await serve(answer(200, succeeded(), { 'preference-applied': 'wait=30' }));
    const submitted = await clientOf(server, { timeoutMs: 50 }).submit(demoSleep, {}, { waitSeconds: 30 });
    expect(server.received[0]?.headers.prefer).toBe('wait=30');
    expect(await submitted.wait()).toEqual({ sleptMs: 1_000 });
    expect(server.received).toHaveLength(1);
  });

  it('adds the hold time to the timeout', async () => {
    const server = await serve(later(100, accepted));
    await clientOf(server, { timeoutMs: 50, maxAttempts: 1 }).submit(demoSleep, {}, { waitSeconds: 1 });
  });

  it('submits without waiting when the api holds too many answers', async () => {
    const server = await serve(problem(429, 'too-many-waiters', { 'retry-after': '0' }), accepted);
    await clientOf(server, { maxAttempts: 1 }).submit(demoSleep, {}, { waitSeconds: 30 });
    expect(server.received.map(({ headers }) => headers.prefer)).toEqual(['wait=30', undefined]);
    const [first, second] = server.received.map(({ headers }) => headers['idempotency-key']);
    expect(second).toBe(first);
  });

  it.each([-1, 0.5, 61])('refuses to wait for %d seconds', async (waitSeconds) => {
    const call = clientOf(await serve()).submit(demoSleep, {}, { waitSeconds });
    await expect(call).rejects.toThrow('waitSeconds: must be a whole number from 0 to 60');
  });

  it('marks an earlier job with the same dedupe key as deduplicated', async () => {
    const running = job({ status: 'running', version: 2 });
    const server = await serve(answer(200, running, { deduplicated: 'true' }));
    const submitted = await clientOf(server).submit(demoSleep, {}, { dedupeKey: 'one' });
    expect(submitted).toMatchObject({ deduplicated: true, snapshot: running });
  });
});

describe('submitBatch', () => {
  it('posts all jobs at once, and gives their handles in order', async () => {
    const jobs = [job(), job({ id: otherId, type: 'http.request' })];
    const server = await serve(cut, answer(202, { jobs }));
    const handles = await clientOf(server).submitBatch(
      [
        [demoSleep, { seconds: 1 }, { tags: ['a'] }],
        ['http.request', { url: 'https://example.com/' }],
      ],
      { idempotencyKey: 'batch-1' },
    );
    expect(server.received).toHaveLength(2);
    expect(server.received[1]).toMatchObject({ method: 'POST', path: '/v1/jobs/batch' });
    expect(server.received[1]?.headers['idempotency-key']).toBe('"batch-1"');
    expect(server.received[1]?.body).toEqual({
      jobs: [
        { type: 'demo.sleep', payload: { seconds: 1 }, tags: ['a'] },
        { type: 'http.request', payload: { url: 'https://example.com/' } },
      ],
    });
    expect(handles.map(({ id, snapshot }) => [id, snapshot])).toEqual(jobs.map((each) => [each.id, each]));
  });

  it('names the invalid job of a batch', async () => {
    const errors = [{ pointer: '/jobs/0/payload/seconds', detail: 'too large' }];
    const call = clientOf(await serve(problem(400, 'invalid-request', {}, { errors }))).submitBatch([[demoSleep, {}]]);
    await expect(call).rejects.toMatchObject({ status: 400, errors });
  });

  it('rejects when the answer has fewer jobs than the batch', async () => {
    const call = clientOf(await serve(answer(202, { jobs: [] }))).submitBatch([[demoSleep, {}]]);
    await expect(call).rejects.toThrow(/was answered with 0 jobs for 1$/);
  });
});
