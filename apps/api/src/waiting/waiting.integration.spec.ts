import { connect } from 'node:net';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { createMetrics } from '@offload/process';
import { listen } from '@offload/http';
import { eventually } from '@offload/spec-kit';
import request from 'supertest';
import { useApi } from '../spec-api.ts';
import { createWaiters } from './waiters.ts';

const sleep = { type: 'demo.sleep', payload: { seconds: 1 } };
const api = useApi();
let app: ReturnType<typeof api.app>;
beforeAll(() => void (app = api.app()));

const post = (body: object = sleep) => request(app).post('/v1/jobs').send(body);
const get = (id: string) => request(app).get(`/v1/jobs/${id}`);
const submitted = async (body: object = sleep): Promise<string> => (await post(body).expect(202)).body.id;

async function run(id: string): Promise<void> {
  await api.claim(id);
  await api.finish(id);
}

/** supertest sends when it is awaited; this sends now. */
const send = async <T>(call: PromiseLike<T>): Promise<T> => call;

describe('Prefer: wait on POST', () => {
  it('answers 200 with the finished job, and where it is', async () => {
    const answer = send(post({ ...sleep, tags: ['a'] }).set('Prefer', 'wait=30'));
    const id = await api.posted('a');
    await run(id);
    const { status, headers, body } = await answer;
    expect([status, headers['preference-applied'], headers['content-location']]).toEqual([
      ...[200, 'wait=30', `/v1/jobs/${id}`],
    ]);
    expect(body).toMatchObject({ id, status: 'succeeded', result: { sleptMs: 1 } });
    expect(headers['etag']).toBe(`W/"${body.version}"`);
    expect(headers['vary']).toContain('Prefer');
  });

  it('answers 202 with the job as it is when the time is over', async () => {
    const answer = send(post({ ...sleep, tags: ['b'] }).set('Prefer', 'wait=1'));
    await api.claim(await api.posted('b'));
    const { status, headers, body } = await answer;
    expect([status, body.status, headers['preference-applied']]).toEqual([202, 'running', 'wait=1']);
    expect(headers['location']).toBe(`/v1/jobs/${body.id}`);
  });

  it('does not wait for an unknown preference, nor for 0 seconds', async () => {
    const odd = await post().set('Prefer', 'wait=soon, return=minimal').expect(202);
    expect(odd.headers['preference-applied']).toBeUndefined();
    const zero = await post().set('Prefer', 'wait=0').expect(202);
    expect(zero.headers['preference-applied']).toBe('wait=0');
  });

  it('applies 60 seconds where more are asked for', async () => {
    const answer = send(post({ ...sleep, tags: ['c'] }).set('Prefer', 'respond-async, Wait="3600"; why=not'));
    await run(await api.posted('c'));
    expect((await answer).headers['preference-applied']).toBe('wait=60');
  });
});

describe('Prefer: wait on GET', () => {
  it('answers all waiting requests when the job is finished', async () => {
    const id = await submitted();
    const answers = Array.from({ length: 5 }, () => send(get(id).set('Prefer', 'wait=30')));
    await eventually(() => expect(api.parts.waiters.wants(id)).toBe(true));
    await run(id);
    for (const { status, body } of await Promise.all(answers)) {
      expect([status, body.status]).toEqual([200, 'succeeded']);
    }
    expect(api.parts.waiters.wants(id)).toBe(false);
  });

  it('answers at once when it is finished already, and 404 when there is none', async () => {
    const id = await submitted();
    await run(id);
    expect((await get(id).set('Prefer', 'wait=30').expect(200)).headers['preference-applied']).toBe('wait=30');
    await get('01890000-0000-7000-8000-000000000000').set('Prefer', 'wait=30').expect(404);
  });

  it('answers 304 when the time is over and nothing has changed', async () => {
    const id = await submitted({ ...sleep, delayMs: 60_000 });
    const { headers } = await get(id).expect(200);
    await get(id)
      .set('If-None-Match', headers['etag'] as string)
      .set('Prefer', 'wait=1')
      .expect(304);
  });

  it('finds a job that finished while no events arrived', async () => {
    const id = await submitted();
    const answer = send(get(id).set('Prefer', 'wait=30'));
    await eventually(() => expect(api.parts.waiters.wants(id)).toBe(true));
    await api.claim(id);
    await api.database.jobs.settle({ jobId: id, attempt: 1, outcome: { status: 'succeeded', result: null } }); // no event
    await api.parts.waiters.refresh();
    expect((await answer).body.status).toBe('succeeded');
  });

  it('gives the place back when the client has gone', async () => {
    const id = await submitted();
    const server = await listen(app, { host: '127.0.0.1', port: 0 });
    const client = connect(server.port, '127.0.0.1');
    client.write(`GET /v1/jobs/${id} HTTP/1.1\r\nHost: api\r\nPrefer: wait=30\r\n\r\n`);
    await eventually(() => expect(api.parts.waiters.wants(id)).toBe(true));
    client.destroy();
    await eventually(() => expect(api.parts.waiters.wants(id)).toBe(false));
    await server.close();
  });
});

it('gives back all places of a connection that has gone, also where requests were sent without waiting', async () => {
  const id = await submitted();
  const server = await listen(app, { host: '127.0.0.1', port: 0 });
  const client = connect(server.port, '127.0.0.1');
  client.write(`GET /v1/jobs/${id} HTTP/1.1\r\nHost: api\r\nPrefer: wait=30\r\n\r\n`.repeat(20));
  await eventually(() => expect(api.parts.waiters.wants(id)).toBe(true));
  client.destroy();
  await eventually(() => expect(api.parts.waiters.wants(id)).toBe(false));
  await server.close();
});

it('answers 429 to more requests that wait than a client may have, and stores no job for them', async () => {
  const { database, log } = api.parts;
  const waiters = createWaiters({ database, maxWaiters: 1, metrics: createMetrics(), log });
  const strict = api.app({ waiters });
  const id = await submitted();
  const first = send(request(strict).get(`/v1/jobs/${id}`).set('Prefer', 'wait=30'));
  await eventually(() => expect(waiters.wants(id)).toBe(true));
  const job = { ...sleep, tags: ['one too many'] };
  const refused = await request(strict).post('/v1/jobs').set('Prefer', 'wait=5').send(job).expect(429);
  expect(refused.body.type).toBe('/problems/too-many-waiters');
  expect((await api.database.jobs.list({ tag: 'one too many', limit: 1 })).jobs).toEqual([]);
  await request(strict).get(`/v1/jobs/${id}`).expect(200); // without waiting

  waiters.close(); // as when the api stops: who waits is answered with what there is
  expect((await first).body.status).toBe('queued');
});
