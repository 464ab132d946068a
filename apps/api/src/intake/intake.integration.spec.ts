import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { serviceVariables } from '@offload/access';
import { newApiKey } from '@offload/access/secrets';
import { dispatch, dispatchQueue } from '@offload/job-messages';
import { consume } from '@offload/messaging';
import { eventually } from '@offload/spec-kit';
import request from 'supertest';
import { useApi } from '../spec-api.ts';

const sleep = { type: 'demo.sleep', payload: { seconds: 1 } };
const api = useApi();
let app: ReturnType<typeof api.app>;
beforeAll(() => void (app = api.app()));

const post = (body: unknown, path = '/v1/jobs') =>
  request(app)
    .post(path)
    .send(body as object);
const quoted = (key: string): string => `"${key}"`;
const freshKey = (): string => quoted(randomUUID());

describe('Idempotency-Key', () => {
  it('answers the same request with the first answer again, even if the job has changed', async () => {
    const key = freshKey();
    const body = { ...sleep, tags: ['x'], priority: 3, delayMs: 0 };
    const first = await post(body).set('Idempotency-Key', key).expect(202);
    expect(first.headers['idempotency-replayed']).toBeUndefined();
    await api.claim(first.body.id);
    const again = await post(body).set('Idempotency-Key', key).expect(202).expect('Idempotency-Replayed', 'true');
    expect(again.body).toEqual(first.body);
    expect(again.headers['location']).toBe(first.headers['location']);
  });

  it('answers with the finished job, where the repeated request waits for it', async () => {
    const key = freshKey();
    const { id } = (await post(sleep).set('Idempotency-Key', key)).body;
    await api.claim(id);
    await api.finish(id);
    const again = await post(sleep).set('Idempotency-Key', key).set('Prefer', 'wait=10').expect(200);
    expect([again.body.id, again.body.status]).toEqual([id, 'succeeded']);
    expect(again.headers['idempotency-replayed']).toBe('true');
  });

  it('answers a scheduled job again as scheduled', async () => {
    const key = freshKey();
    const runAt = new Date(Date.now() + 3_600_000).toISOString();
    for (const when of [{ delayMs: 5_000 }, { runAt }, { runAt: '2001-01-01T00:00:00Z' }]) {
      const own = `"${when.runAt ?? ''} ${key.slice(1)}`;
      const first = await post({ ...sleep, ...when }).set('Idempotency-Key', own);
      const again = await post({ ...sleep, ...when }).set('Idempotency-Key', own);
      expect(again.body).toEqual(first.body);
    }
  });

  it('refuses another request under the same key', async () => {
    const key = freshKey();
    await post(sleep).set('Idempotency-Key', key).expect(202);
    const other = await post({ ...sleep, priority: 1 })
      .set('Idempotency-Key', key)
      .expect(422);
    expect(other.body.type).toBe('/problems/idempotency-key-reused');
    await post({ jobs: [sleep] }, '/v1/jobs/batch')
      .set('Idempotency-Key', key)
      .expect(422);
  });

  it('makes one job of many requests at once: the others get 409, or the first answer', async () => {
    const key = freshKey();
    const answers = await Promise.all(Array.from({ length: 50 }, () => post(sleep).set('Idempotency-Key', key)));
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status !== 202 && status !== 409)).toEqual([]);
    const ids = new Set(answers.filter(({ status }) => status === 202).map(({ body }) => body.id));
    expect(ids.size).toBe(1);
    const conflict = answers.find(({ status }) => status === 409);
    if (conflict) expect(conflict.headers['retry-after']).toBe('1');
  });

  it('keeps the keys of clients apart', async () => {
    const [ci, web] = [newApiKey('ci', ['submit']), newApiKey('web', ['submit'])];
    const guarded = api.app({ keys: serviceVariables.API_KEYS.parse(`${ci.entry},${web.entry}`) });
    const key = freshKey();
    const ids = [];
    for (const client of [ci, web, ci]) {
      const call = request(guarded).post('/v1/jobs').set('Authorization', `Bearer ${client.key}`);
      ids.push((await call.set('Idempotency-Key', key).send(sleep).expect(202)).body.id);
    }
    expect(ids[2]).toBe(ids[0]);
    expect(ids[1]).not.toBe(ids[0]);
  });

  it('forgets the key of a request that was refused', async () => {
    const key = freshKey();
    await post({ ...sleep, colour: 1 })
      .set('Idempotency-Key', key)
      .expect(400);
    await post(sleep).set('Idempotency-Key', key).expect(202);
  });

  it('replays a batch', async () => {
    const key = freshKey();
    const batch = { jobs: [sleep, { ...sleep, delayMs: 1_000 }] };
    const first = await post(batch, '/v1/jobs/batch').set('Idempotency-Key', key).expect(202);
    const again = await post(batch, '/v1/jobs/batch').set('Idempotency-Key', key).expect(202);
    expect(again.headers['idempotency-replayed']).toBe('true');
    expect(again.body).toEqual(first.body);
  });

  it.each(['key', '""', '"a', 'a"', '"ä"', "'a'", '"a", "b"', `"${'x'.repeat(256)}"`])('refuses %s', async (field) => {
    const { body } = await post(sleep).set('Idempotency-Key', Buffer.from(field).toString('latin1')).expect(400);
    expect(body.errors).toEqual([{ header: 'Idempotency-Key', detail: expect.any(String) }]);
  });
});

describe('dedupeKey', () => {
  it('answers 200 with the job that is there while it is not finished', async () => {
    const body = { ...sleep, dedupeKey: 'invoice 42' };
    const first = await post(body).expect(202);
    const second = await post({ ...body, payload: { seconds: 2 } })
      .expect(200)
      .expect('Deduplicated', 'true');
    expect(second.body).toMatchObject({ id: first.body.id, payload: { seconds: 1 } });
    expect(second.headers['content-location']).toBe(`/v1/jobs/${first.body.id}`);
    expect(second.headers['location']).toBeUndefined();

    const waiting = post(body)
      .set('Prefer', 'wait=30')
      .then((answer) => answer);
    await eventually(() => expect(api.parts.waiters.wants(first.body.id)).toBe(true));
    await api.claim(first.body.id);
    await api.finish(first.body.id);
    expect((await waiting).body).toMatchObject({ id: first.body.id, status: 'succeeded' });
    expect((await post(body).expect(202)).body.id).not.toBe(first.body.id);
  });

  it('refuses a retry while another job with its key is not finished', async () => {
    const body = { ...sleep, dedupeKey: 'invoice 43', delayMs: 60_000 };
    const { id } = (await post(body)).body;
    await request(app).post(`/v1/jobs/${id}/cancel`).expect(200);
    await post(body).expect(202);
    const refused = await request(app).post(`/v1/jobs/${id}/retry`).expect(409);
    expect(refused.body.type).toBe('/problems/job-duplicated');
  });

  it('makes one job of several in a batch', async () => {
    const batch = { jobs: ['a', 'b', 'a'].map((dedupeKey) => ({ ...sleep, dedupeKey })) };
    const { jobs } = (await post(batch, '/v1/jobs/batch').expect(202)).body;
    expect(jobs[2].id).toBe(jobs[0].id);
    expect(jobs[1].id).not.toBe(jobs[0].id);
  });
});

describe('a queue that is full', () => {
  it('answers 503 with Retry-After, and accepts requests with a known key and jobs of other queues', async () => {
    const full = api.app({ maxBacklog: (queue) => (queue === 'mail' ? 1 : 1_000_000) });
    const mail = { ...sleep, queue: 'mail' };
    const send = (body: object) => request(full).post('/v1/jobs').send(body);
    const key = freshKey();
    const { body: first } = await send(mail).set('Idempotency-Key', key).expect(202);
    const refused = await send(mail).expect(503);
    expect(refused.body.type).toBe('/problems/queue-full');
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    await send(mail).set('Idempotency-Key', freshKey()).expect(503);
    expect((await send(mail).set('Idempotency-Key', key).expect(202)).body.id).toBe(first.id);
    await send(sleep).expect(202);
    await request(full)
      .post('/v1/jobs/batch')
      .send({ jobs: [sleep, mail] })
      .expect(503);

    await api.claim(first.id);
    await eventually(() => expect(api.parts.backlog.waiting('mail')).toBe(0));
    await send(mail).expect(202);
  });
});

describe('the bound of a queue', () => {
  const slow = { ...sleep, queue: 'mail' };

  it('holds for many requests at once too', async () => {
    await eventually(() =>
      expect(api.parts.backlog.waiting('mail')).toBe(api.parts.backlog.waitingAtLastSample('mail')),
    );
    const room = api.parts.backlog.waiting('mail') + 3;
    const full = api.app({ maxBacklog: () => room });
    const send = () => request(full).post('/v1/jobs').send(slow);
    const answers = await Promise.all(Array.from({ length: 20 }, send));
    expect(answers.filter(({ status }) => status === 202)).toHaveLength(3);
    expect(answers.filter(({ status }) => status === 503)).toHaveLength(17);
  });

  it('frees the places of jobs that were not made', async () => {
    await eventually(() =>
      expect(api.parts.backlog.waiting('mail')).toBe(api.parts.backlog.waitingAtLastSample('mail')),
    );
    const before = api.parts.backlog.waiting('mail');
    const key = freshKey();
    const later = { ...slow, delayMs: 60_000, dedupeKey: 'place' };
    await post(later).set('Idempotency-Key', key).expect(202);
    await post(later).set('Idempotency-Key', key).expect(202);
    await post(later).expect(200);
    expect(api.parts.backlog.waiting('mail')).toBe(before);
  });

  it('refuses a batch that could never fit', async () => {
    const small = api.app({ maxBacklog: () => 2 });
    const batch = { jobs: [slow, slow, slow] };
    const { body } = await request(small).post('/v1/jobs/batch').send(batch).expect(400);
    expect(body.errors[0].pointer).toBe('/jobs');
  });
});

it('answers 404 to a repeated request whose job, found by its dedupe key, has been deleted since', async () => {
  const known = { ...sleep, dedupeKey: 'deleted since' };
  const { id } = (await post(known).expect(202)).body;
  const [one, batch] = [freshKey(), freshKey()];
  await post(known).set('Idempotency-Key', one).expect(200);
  await post({ jobs: [sleep, known] }, '/v1/jobs/batch')
    .set('Idempotency-Key', batch)
    .expect(202);
  await api.claim(id);
  await api.finish(id);
  await request(app).delete(`/v1/jobs/${id}`).expect(204);
  const again = await post(known).set('Idempotency-Key', one).expect(404);
  expect(again.body.detail).toContain(id);
  await post({ jobs: [sleep, known] }, '/v1/jobs/batch')
    .set('Idempotency-Key', batch)
    .expect(404);
});

it('carries the trace context of a request in the dispatch message', async () => {
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  const heard = new Map<string, unknown>();
  consume(api.broker, {
    queue: dispatchQueue('default'),
    message: dispatch,
    prefetch: 100,
    handle: ({ body, headers }) => void heard.set(body.jobId, headers['traceparent']),
  });
  const traced = (await post(sleep).set('traceparent', traceparent)).body.id;
  const odd = (await post(sleep).set('traceparent', '00-nothing')).body.id;
  await eventually(() => expect([heard.get(traced), heard.has(odd)]).toEqual([traceparent, true]));
  expect(heard.get(odd)).toBeUndefined();
});

describe('batches at once', () => {
  const thousand = { jobs: Array.from({ length: 1_000 }, () => sleep) };

  it('let others have their turns while their jobs are dispatched and announced', async () => {
    let inThisTurn = 0;
    const turns: number[] = [];
    const { dispatcher } = api.parts;
    // Every job is announced; those of a slow moment are left to the relay to dispatch.
    const publishEvent: typeof dispatcher.publishEvent = (...job) => {
      inThisTurn += 1;
      if (inThisTurn === 1)
        setImmediate(() => {
          turns.push(inThisTurn);
          inThisTurn = 0;
        });
      return dispatcher.publishEvent(...job);
    };
    const observed = api.app({ dispatcher: { ...dispatcher, publishEvent } });
    const send = () => request(observed).post('/v1/jobs/batch').send(thousand).expect(202);
    const answers = await Promise.all([send(), send(), send()]);
    const ids = answers.flatMap(({ body }) => body.jobs.map(({ id }: { id: string }) => id));
    expect(new Set(ids).size).toBe(3_000);
    expect(turns.reduce((sum, each) => sum + each)).toBe(3_000);
    expect(Math.max(...turns)).toBeLessThanOrEqual(200); // what counts them may run after the next hundred
  });

  it('leave jobs to the relay that would be dispatched later than by the relay', async () => {
    let dispatched = 0;
    const { dispatcher } = api.parts;
    const dispatchSoon: typeof dispatcher.dispatchSoon = (dispatch) => {
      dispatched += 1;
      const until = performance.now() + (dispatched === 1 ? 1_000 : 0);
      while (performance.now() < until);
      dispatcher.dispatchSoon(dispatch);
    };
    const observed = api.app({ dispatcher: { ...dispatcher, dispatchSoon } });
    const { body } = await request(observed).post('/v1/jobs/batch').send(thousand).expect(202);
    expect(body.jobs).toHaveLength(1_000);
    expect(dispatched).toBe(100);
  });
});
