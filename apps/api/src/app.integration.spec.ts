import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { openDatabase } from '@offload/database';
import { control, exchanges } from '@offload/job-messages';
import { subscribe } from '@offload/messaging';
import { eventually } from '@offload/testing';
import request from 'supertest';
import { useApi } from './spec-api.ts';

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const sleep = { type: 'demo.sleep', payload: { seconds: 1 } };

const api = useApi();
let app: ReturnType<typeof api.app>;
beforeAll(() => void (app = api.app()));

const post = (body: unknown) =>
  request(app)
    .post('/v1/jobs')
    .send(body as object);

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

  it('keeps the request id it is given, and makes one of its own when that could do harm', async () => {
    const given = await post(sleep).set('X-Request-Id', 'order-4711').expect(202);
    expect(given.headers['x-request-id']).toBe('order-4711');
    const harmful = await post(sleep).set('X-Request-Id', 'two words').expect(202);
    expect(harmful.headers['x-request-id']).not.toContain('two words');
  });

  it('takes what the job leaves out from its definition, and what it says from the job', async () => {
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
    expect(past.body.status).toBe('queued');
  });

  it('keeps text that PostgreSQL could not hold as text', async () => {
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

  it('stores nothing of what it refuses', async () => {
    const before = await api.database.jobs.list({ limit: 200 });
    await post({ ...sleep, colour: 1 }).expect(400);
    await post({ ...sleep, payload: { seconds: -1 } }).expect(400);
    expect(await api.database.jobs.list({ limit: 200 })).toEqual(before);
  });
});

describe('GET /v1/jobs/{id}', () => {
  it('shows the job with a weak ETag, and 304 to those who have that version', async () => {
    const { id } = (await post(sleep)).body;
    const first = await request(app).get(`/v1/jobs/${id}`).expect(200).expect('Retry-After', '1');
    expect(first.body.id).toBe(id);
    const etag = first.headers.etag as string;
    expect(etag).toBe(`W/"${first.body.version}"`);
    const again = await request(app).get(`/v1/jobs/${id}`).set('If-None-Match', etag).expect(304);
    expect(again.headers.etag).toBe(etag);
    for (const [tags, status] of [
      ['W/"0"', 200],
      [`"0", ${etag}`, 304],
      [etag.replace('W/', ''), 304],
      ['*', 304],
    ] as const) {
      const call = request(app).get(`/v1/jobs/${id}`).set('If-None-Match', tags).set('Cache-Control', 'no-cache');
      await call.expect(status);
    }
  });

  it('answers 404 for an unknown id and 400 for one that is none', async () => {
    const unknown = await request(app).get('/v1/jobs/01890000-0000-7000-8000-000000000000').expect(404);
    expect(unknown.body.type).toBe('/problems/job-not-found');
    const bad = await request(app).get('/v1/jobs/not-an-id').expect(400);
    expect(bad.body.errors).toEqual([{ parameter: 'id', detail: 'must be a UUID' }]);
  });
});

describe('POST /v1/jobs/{id}/cancel', () => {
  const cancel = (id: string) => request(app).post(`/v1/jobs/${id}/cancel`);
  const submitted = async (more = {}): Promise<string> => (await post({ ...sleep, ...more }).expect(202)).body.id;
  /** What is told to all workers from now on. */
  async function commands(): Promise<unknown[]> {
    const heard: unknown[] = [];
    const exchange = exchanges.control;
    await new Promise<void>((onListening) => {
      subscribe(api.broker, { exchange, message: control, handle: ({ body }) => void heard.push(body), onListening });
    });
    return heard;
  }

  it('answers 200 with a job that will never run', async () => {
    const id = await submitted({ delayMs: 60_000 });
    const { body } = await cancel(id).expect(200);
    expect(body).toMatchObject({ id, status: 'cancelled', attempt: 0, links: { self: `/v1/jobs/${id}` } });
    expect((await request(app).get(`/v1/jobs/${id}`).expect(200)).body).toEqual(body);
  });

  it('answers 202 with a running job, and tells the workers', async () => {
    const heard = await commands();
    const id = await submitted();
    await api.claim(id);
    expect((await cancel(id).expect(202)).body).toMatchObject({ id, status: 'running' });
    await eventually(() => expect(heard).toEqual([{ command: 'cancel', jobId: id }]));
  });

  it('answers 409 for a finished job, 404 for an unknown one, 400 for none, 405 for another method', async () => {
    const id = await submitted({ delayMs: 60_000 });
    await cancel(id).expect(200);
    expect((await cancel(id).expect(409)).body).toMatchObject({
      type: '/problems/job-finished',
      detail: 'It is cancelled already',
    });
    expect((await cancel(randomUUID()).expect(404)).body.type).toBe('/problems/job-not-found');
    await cancel('seven').expect(400);
    await request(app).get(`/v1/jobs/${id}/cancel`).expect(405).expect('Allow', 'POST, OPTIONS');
  });
});

describe('GET /v1/jobs', () => {
  it('pages through all jobs, newest first, none missed or doubled while new ones come', async () => {
    const ids: string[] = [];
    for (let index = 0; index < 5; index += 1) ids.unshift((await post(sleep)).body.id);
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const path: string = cursor === null ? '/v1/jobs?limit=2' : `/v1/jobs?limit=2&cursor=${cursor}`;
      const page = await request(app).get(path).expect(200);
      expect(page.body.jobs.length).toBeLessThanOrEqual(2);
      seen.push(...page.body.jobs.map(({ id }: { id: string }) => id));
      cursor = page.body.nextCursor;
      await post(sleep);
    } while (cursor !== null && seen.length < 300);
    expect(seen.slice(0, 5)).toEqual(ids);
    expect(new Set(seen).size).toBe(seen.length);
  });

  it('filters by status', async () => {
    const { id } = (await post({ ...sleep, delayMs: 60_000 })).body;
    const { body } = await request(app).get('/v1/jobs?status=scheduled&limit=200').expect(200);
    expect(body.jobs.map((job: { id: string }) => job.id)).toContain(id);
    expect(new Set(body.jobs.map((job: { status: string }) => job.status))).toEqual(new Set(['scheduled']));
    expect((await request(app).get('/v1/jobs?status=failed').expect(200)).body).toEqual({ jobs: [], nextCursor: null });
  });

  it.each([
    'status=lost',
    'limit=0',
    'limit=201',
    'limit=1.5',
    'limit=',
    'cursor=abc',
    'cursor=%00',
    'page=2',
    'limit=1&limit=2',
  ])('refuses ?%s with a problem that names the parameter', async (query) => {
    const { body } = await request(app).get(`/v1/jobs?${query}`).expect(400);
    expect(body.errors).toEqual([{ parameter: query.split('=')[0], detail: expect.any(String) }]);
  });
});

describe('the rest', () => {
  it('describes each job type with the JSON Schema of its payload and its policy', async () => {
    const { body } = await request(app).get('/v1/job-types').expect(200);
    expect(body.jobTypes.map(({ type }: { type: string }) => type)).toEqual([
      'csv.profile',
      'demo.echo',
      'demo.sleep',
      'http.request',
    ]);
    expect(body.jobTypes[2]).toMatchObject({
      queue: 'default',
      timeoutMs: 3_700_000,
      maxAttempts: 5,
      payloadSchema: {
        type: 'object',
        properties: { seconds: { type: 'number', minimum: 0, maximum: 3_600, default: 10 } },
        additionalProperties: false,
      },
    });
  });

  it('is alive, ready and measured', async () => {
    await request(app).get('/healthz').expect(200);
    const ready = await request(app).get('/readyz').expect(200);
    expect(ready.body).toEqual({ status: 'ready', checks: { database: 'ok', broker: 'ok' } });
    await post(sleep).expect(202);
    const metrics = await request(app)
      .get('/metrics')
      .expect(200)
      .expect('Content-Type', /^text\/plain/);
    expect(metrics.text).toMatch(/offload_jobs_accepted_total\{type="demo.sleep"\} \d+/);
    expect(metrics.text).toMatch(
      /http_request_duration_seconds_count\{method="POST",route="\/v1\/jobs",status="202"\} \d+/,
    );
  });

  it('answers 404 and 405 as problems', async () => {
    expect((await request(app).get('/nowhere').expect(404)).body.type).toBe('/problems/not-found');
    const response = await request(app).delete('/v1/jobs').expect(405).expect('Allow', 'GET, HEAD, POST, OPTIONS');
    expect(response.body.type).toBe('/problems/method-not-allowed');
  });

  it('answers 503 with Retry-After while the database is away', async () => {
    const away = openDatabase({ url: 'postgresql://nobody@127.0.0.1:1/nothing' });
    const without = api.app({ database: away });
    for (const call of [request(without).post('/v1/jobs').send(sleep), request(without).get('/v1/jobs')]) {
      const response = await call.expect(503).expect('Retry-After', '1');
      expect(response.body.type).toBe('/problems/database-unavailable');
    }
    await request(without).get('/readyz').expect(503);
    await away.close();
  });
});
