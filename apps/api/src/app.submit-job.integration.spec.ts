import { describe, expect, it } from '@jest/globals';
import request from 'supertest';
import { sleep, api, app, post } from './spec-app.ts';

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/;

describe('POST /v1/jobs', () => {
  it('answers 202 with the job, where it is, and when to ask again', async () => {
    const response = await post(sleep)
      .expect(202)
      .expect('Content-Type', /^application\/json/);
    expect(response.body).toMatchObject({
      id: expect.stringMatching(uuid),
      type: 'demo.sleep',
      queue: 'default',
      status: 'queued',
      payload: { seconds: 1 },
      result: null,
      error: null,
      attempt: 0,
      maxAttempts: 5,
      version: 1,
      finishedAt: null,
    });
    const self = `/v1/jobs/${response.body.id}`;
    expect(response.body.links).toEqual({ self, events: `http://notifier.test${self}/events` });
    expect(response.headers).toMatchObject({ location: self, 'retry-after': '1' });
    expect(response.headers['x-request-id']).toMatch(/.+/);
  });

  it("keeps the client's request id, and makes a new id when that could do harm", async () => {
    const given = await post(sleep).set('X-Request-Id', 'order-4711').expect(202);
    expect(given.headers['x-request-id']).toBe('order-4711');
    const harmful = await post(sleep).set('X-Request-Id', 'two words').expect(202);
    expect(harmful.headers['x-request-id']).not.toContain('two words');
  });

  it('fills in defaults from the job definition, and keeps the members that the request has', async () => {
    const plain = await post({ type: 'demo.sleep', payload: {} }).expect(202);
    expect(plain.body.payload).toEqual({ seconds: 10 });
    const full = await post({
      ...sleep,
      queue: 'mail',
      priority: 3,
      maxAttempts: 2,
      timeoutMs: 500,
      backoff: { baseMs: 10 },
      tags: ['nightly', 'größe'],
    }).expect(202);
    expect(full.body).toMatchObject({ queue: 'mail', priority: 3, maxAttempts: 2, tags: ['nightly', 'größe'] });
  });

  it('schedules a job that is to run later, and says when to ask again', async () => {
    const delayed = await post({ ...sleep, delayMs: 90_000 }).expect(202);
    expect(delayed.body.status).toBe('scheduled');
    expect(Date.parse(delayed.body.dueAt) - Date.parse(delayed.body.createdAt)).toBe(90_000);
    expect(Number(delayed.headers['retry-after'])).toBeGreaterThan(80);

    const runAt = '2099-01-01T01:00:00+01:00';
    await post({ ...sleep, runAt }).expect(400); // more than ten years away
    const soon = new Date(Date.now() + 3_600_000).toISOString();
    expect((await post({ ...sleep, runAt: soon }).expect(202)).body).toMatchObject({
      status: 'scheduled',
      dueAt: soon,
    });
    const odd = soon.replace('Z', '+23:59'); // an offset that PostgreSQL would refuse
    expect((await post({ ...sleep, runAt: odd }).expect(202)).body.dueAt).toBe(new Date(odd).toISOString());
    const past = await post({ ...sleep, runAt: '2020-01-01T00:00:00Z' }).expect(202);
    expect(past.body).toMatchObject({ status: 'queued', dueAt: '2020-01-01T00:00:00.000Z' });
  });

  it('keeps text that PostgreSQL cannot store as text', async () => {
    const body = 'NUL \u0000 and half a pair \ud800';
    const { id } = (await post({ type: 'http.request', payload: { url: 'https://example.com', body } }).expect(202))
      .body;
    const read = await request(app).get(`/v1/jobs/${id}`).expect(200);
    expect(read.body.payload.body).toBe(body);
  });

  it.each<[what: string, body: unknown, pointers: string[]]>([
    ['an unknown type', { type: 'nope', payload: {} }, ['/type']],
    ['a type that is no string', { type: 7, payload: {} }, ['/type']],
    ['a missing payload', { type: 'demo.sleep' }, ['/payload']],
    ['a wrong payload', { type: 'demo.sleep', payload: { seconds: '1' } }, ['/payload/seconds']],
    ['a payload out of range', { type: 'demo.sleep', payload: { seconds: 3_601 } }, ['/payload/seconds']],
    ['an unknown member', { ...sleep, colour: 1, size: 2 }, ['/colour', '/size']],
    ['an unknown member of the payload', { type: 'demo.sleep', payload: { 'a/b~c': 1 } }, ['/payload/a~1b~0c']],
    ['neither csv nor url', { type: 'csv.profile', payload: {} }, ['/payload']],
    ['a URL of another scheme', { type: 'http.request', payload: { url: 'file:///etc/passwd' } }, ['/payload/url']],
    [
      'more headers than a request has',
      {
        type: 'http.request',
        payload: { url: 'http://h/', headers: Object.fromEntries(Array.from({ length: 40_000 }, (_, n) => [n, ''])) },
      },
      ['/payload/headers'],
    ],
    [
      'headers that HTTP has not',
      { type: 'http.request', payload: { url: 'http://h/', headers: { 'a b': '', c: '\n', __proto: 1 } } },
      ['/payload/headers/a b', '/payload/headers/c', '/payload/headers/__proto'],
    ],
    ...['not a url', '', 'http://', 'http://[', 'http://h:99999/', 'http://a\u0000b/', 'http://u:p@h/'].map(
      (url): [string, unknown, string[]] => [
        `the URL "${url}"`,
        { type: 'http.request', payload: { url } },
        ['/payload/url'],
      ],
    ),
    ['runAt and delayMs at once', { ...sleep, runAt: '2026-12-01T08:00:00Z', delayMs: 5 }, ['/delayMs']],
    ['a runAt that is no time', { ...sleep, runAt: 'tomorrow' }, ['/runAt']],
    ['a runAt before PostgreSQL can count', { ...sleep, runAt: '0000-01-01T00:00:00Z' }, ['/runAt']],
    ['a runAt on a day that no month has', { ...sleep, runAt: '2026-02-30t08:00:00z' }, ['/runAt']],
    ['a runAt in second 61', { ...sleep, runAt: '2026-12-31T23:59:61Z' }, ['/runAt']],
    ['a negative delay', { ...sleep, delayMs: -1 }, ['/delayMs']],
    ['an unknown queue', { ...sleep, queue: 'nowhere' }, ['/queue']],
    ['a tag with a control character', { ...sleep, tags: ['a\u0000b'] }, ['/tags/0']],
    ['a tag that turns what follows around', { ...sleep, tags: ['fine', 'user\u202enimda'] }, ['/tags/1']],
    ['a dedupe key with half of a letter', { ...sleep, dedupeKey: 'a\ud83d' }, ['/dedupeKey']],
    ['attempts out of range', { ...sleep, maxAttempts: 0 }, ['/maxAttempts']],
    ['a back-off that shrinks', { ...sleep, backoff: { factor: 0.5 } }, ['/backoff/factor']],
    ['an array', [sleep], ['']],
    ['null', null, ['']],
  ])('refuses %s with a problem that names the member', async (_what, body, pointers) => {
    const response = await request(app)
      .post('/v1/jobs')
      .set('Content-Type', 'application/json')
      .send(JSON.stringify(body))
      .expect(400)
      .expect('Content-Type', /^application\/problem\+json/);
    expect(response.body).toMatchObject({
      type: '/problems/invalid-request',
      status: 400,
      instance: '/v1/jobs',
      title: expect.any(String),
      detail: expect.any(String),
    });
    expect(response.body.errors.map(({ pointer }: { pointer: string }) => pointer)).toEqual(pointers);
  });

  it('names the type, its queue and QUEUES where a type has a queue that is not there', async () => {
    const elsewhere = api.app({ queues: ['mail'] });
    const one = await request(elsewhere).post('/v1/jobs').send(sleep).expect(400);
    const detail =
      'has the queue default, which is not known; QUEUES of this api names mail: give "queue", or add it there';
    expect(one.body.errors).toEqual([{ pointer: '/type', detail }]);
    const jobs = [{ ...sleep, queue: 'mail' }, sleep];
    const all = await request(elsewhere).post('/v1/jobs/batch').send({ jobs }).expect(400);
    expect(all.body.errors).toEqual([{ pointer: '/jobs/1/type', detail }]);
    const named = await request(elsewhere)
      .post('/v1/jobs')
      .send({ ...sleep, queue: 'default' })
      .expect(400);
    expect(named.body.errors).toEqual([{ pointer: '/queue', detail: expect.stringMatching(/QUEUES .* mail$/) }]);
  });

  it.each<[what: string, status: number, slug: string, type: string, body: string]>([
    ['broken JSON', 400, 'malformed-json', 'application/json', '{"type":'],
    ['2 MiB', 413, 'body-too-large', 'application/json', JSON.stringify({ a: 'x'.repeat(2 * 1024 * 1024) })],
    ['another media type', 415, 'unsupported-media-type', 'text/plain', JSON.stringify(sleep)],
    ['an unknown character set', 415, 'unsupported-media-type', 'application/json; charset=latin-9', '{}'],
  ])('refuses %s', async (_what, status, slug, type, body) => {
    const response = await request(app).post('/v1/jobs').set('Content-Type', type).send(body).expect(status);
    expect(response.body).toMatchObject({ type: `/problems/${slug}`, status });
  });

  it('refuses text that is not UTF-8, rather than store something else', async () => {
    const call = request(app).post('/v1/jobs').set('Content-Type', 'application/json');
    call.write(Buffer.concat([Buffer.from('{"type":"'), Buffer.from([0xff]), Buffer.from('","payload":{}}')]));
    const { body } = await call.expect(400);
    expect(body).toMatchObject({ type: '/problems/malformed-json', status: 400, detail: 'the body is not UTF-8' });
  });

  it('stores nothing of a refused request', async () => {
    const before = await api.database.jobs.list({ limit: 200 });
    await post({ ...sleep, colour: 1 }).expect(400);
    await post({ ...sleep, payload: { seconds: -1 } }).expect(400);
    expect(await api.database.jobs.list({ limit: 200 })).toEqual(before);
  });
});
