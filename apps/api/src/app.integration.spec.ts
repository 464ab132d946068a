import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { openDatabase } from '@offload/database';
import { control, exchanges } from '@offload/job-messages';
import { subscribe } from '@offload/messaging';
import { eventually } from '@offload/spec-kit';
import request from 'supertest';
import { sleep, api, app, post } from './spec-app.ts';

describe('GET /v1/jobs/{id}', () => {
  it('shows the job with a weak ETag, and answers 304 to clients that have that version', async () => {
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

  it('answers 404 for an unknown id and 400 for an invalid id', async () => {
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

  it('answers 202 with a running job, and sends the workers a command', async () => {
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
      detail: 'The job is cancelled already',
    });
    expect((await cancel(randomUUID()).expect(404)).body.type).toBe('/problems/job-not-found');
    await cancel('seven').expect(400);
    await request(app).get(`/v1/jobs/${id}/cancel`).expect(405).expect('Allow', 'POST, OPTIONS');
  });
});

describe('GET /v1/jobs', () => {
  it('pages through all jobs, newest first, and misses or repeats none while new jobs arrive', async () => {
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
    expect(body.jobTypes.find(({ type }: { type: string }) => type === 'demo.sleep')).toMatchObject({
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
    const away = openDatabase({ url: 'postgresql://unknown@127.0.0.1:1/nothing' });
    const without = api.app({ database: away });
    for (const call of [request(without).post('/v1/jobs').send(sleep), request(without).get('/v1/jobs')]) {
      const response = await call.expect(503).expect('Retry-After', '1');
      expect(response.body.type).toBe('/problems/database-unavailable');
    }
    await request(without).get('/readyz').expect(503);
    await away.close();
  });
});
