import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, get, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { beforeAll, describe, expect, it } from '@jest/globals';
import type { JobPage, Outcome } from '@offload/database';
import { eventually } from '@offload/spec-kit';
import request from 'supertest';
import { useApi } from './spec-api.ts';

const sleep = { type: 'demo.sleep', payload: { seconds: 1 } };
const failed: Outcome = { status: 'failed', error: { code: 'permanent', message: 'no luck', attempt: 1 } };
const api = useApi();
let app: ReturnType<typeof api.app>;
beforeAll(() => void (app = api.app()));

const submitted = async (more: object = {}): Promise<string> =>
  (
    await request(app)
      .post('/v1/jobs')
      .send({ ...sleep, ...more })
      .expect(202)
  ).body.id;
async function ended(outcome?: Outcome): Promise<string> {
  const id = await submitted();
  await api.claim(id);
  await api.finish(id, outcome);
  return id;
}

describe('POST /v1/jobs/batch', () => {
  const batch = (body: unknown) =>
    request(app)
      .post('/v1/jobs/batch')
      .send(body as object);

  it('makes all jobs, in their order', async () => {
    const jobs = Array.from({ length: 1_000 }, (_, index) => ({ ...sleep, payload: { seconds: index } }));
    const { body } = await batch({ jobs }).expect(202);
    expect(body.jobs.map((job: { payload: { seconds: number } }) => job.payload.seconds)).toEqual(
      jobs.map(({ payload }) => payload.seconds),
    );
    const last = body.jobs[999];
    expect((await request(app).get(last.links.self).expect(200)).body.id).toBe(last.id);
  });

  it.each<[string, unknown, string[]]>([
    ['a bad job', { jobs: [sleep, { ...sleep, colour: 1 }] }, ['/jobs/1/colour']],
    [
      'a bad payload',
      { jobs: [sleep, sleep, { type: 'demo.sleep', payload: { seconds: -1 } }] },
      ['/jobs/2/payload/seconds'],
    ],
    ['an unknown type', { jobs: [{ type: 'nope', payload: {} }] }, ['/jobs/0/type']],
    ['an unknown queue', { jobs: [{ ...sleep, queue: 'nowhere' }] }, ['/jobs/0/queue']],
    ['no jobs', { jobs: [] }, ['/jobs']],
    ['too many', { jobs: Array.from({ length: 1_001 }, () => sleep) }, ['/jobs']],
    ['no list', { jobs: sleep }, ['/jobs']],
    ['a list alone', [sleep], ['']],
    ['another member', { jobs: [sleep], colour: 1 }, ['/colour']],
  ])('makes none of them where there is %s, and says which', async (_what, body, pointers) => {
    const before = await api.database.jobs.list({ limit: 1 });
    const answer = await batch(body).expect(400);
    expect(answer.body.errors.map(({ pointer }: { pointer: string }) => pointer)).toEqual(pointers);
    expect(await api.database.jobs.list({ limit: 1 })).toEqual(before);
  });
});

describe('GET /v1/jobs', () => {
  const list = async (query: string): Promise<string[]> =>
    (await request(app).get(`/v1/jobs?${query}`).expect(200)).body.jobs.map(({ id }: { id: string }) => id);

  it('filters by type, queue, tag and time, also together', async () => {
    const tag = `t ${randomUUID()}`;
    const mail = await submitted({ queue: 'mail', tags: ['other', tag] });
    const csv = await submitted({ type: 'csv.profile', payload: { csv: 'a\n1' }, tags: [tag] });
    const { createdAt } = (await request(app).get(`/v1/jobs/${csv}`)).body;
    const any = `tag=${encodeURIComponent(tag)}`;
    expect(await list(any)).toEqual([csv, mail]);
    expect(await list(`${any}&queue=mail`)).toEqual([mail]);
    expect(await list(`${any}&type=csv.profile`)).toEqual([csv]);
    expect(await list(`${any}&type=csv.profile&queue=mail`)).toEqual([]);
    expect(await list(`${any}&createdAfter=${createdAt}`)).toEqual([]);
    expect(await list(`${any}&createdBefore=${createdAt}`)).toEqual([mail]);
    const before = new Date(Date.parse(createdAt) - 60_000).toISOString().replace('Z', '%2B00:00');
    expect(await list(`${any}&createdAfter=${before}`)).toEqual([csv, mail]);
  });

  it.each([
    [
      'joiners and a flag of tag characters',
      'می\u200cخواهم 👩\u200d👧 🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}',
    ],
    ['marks of both kinds', 'e\u0301 שלום\u200f ❤\ufe0f 葛\u{e0100}'],
    ['64 ideographs beyond the basic plane', '𠮷'.repeat(64)],
  ])('keeps, finds and deduplicates by %s', async (_what, text) => {
    const own = { ...sleep, payload: { seconds: Math.random() }, tags: [text], dedupeKey: `${text} ${randomUUID()}` };
    const { body: job } = await request(app).post('/v1/jobs').send(own).expect(202);
    expect(job.tags).toEqual([text]);
    expect(await list(`tag=${encodeURIComponent(text)}`)).toEqual([job.id]);
    expect(await list(`tag=${encodeURIComponent([...text].slice(0, 3).join(''))}`)).toEqual([]);
    const again = await request(app).post('/v1/jobs').send(own).expect(200);
    expect(again.body.id).toBe(job.id);
  });

  it.each([
    ['0000-01-01t00:00:00%2B23:59', '9999-12-31t23:59:60-23:59'],
    ['2016-12-31T23:59:60Z', '2100-01-01t00:00:00z'],
  ])('takes every time of RFC 3339: after %s and before %s', async (after, before) => {
    const tag = randomUUID();
    const id = await submitted({ tags: [tag] });
    expect(await list(`tag=${tag}&createdAfter=${after}&createdBefore=${before}`)).toEqual([id]);
    expect(await list(`tag=${tag}&createdAfter=${before}`)).toEqual([]);
  });

  it.each([
    'tag=a%00',
    'tag=a%E2%80%AEb',
    'tag=%C2%85',
    'createdBefore=2026-02-30t00:00:00z',
    'type=%00',
    'queue=A',
    'createdAfter=yesterday',
    'createdBefore=2026-01-01T00:00:00',
    'type=a&type=b',
    '__proto__=1',
  ])('refuses ?%s', async (query) => {
    const { body } = await request(app).get(`/v1/jobs?${query}`).expect(400);
    expect(body.errors[0].parameter).toBe(query.split('=')[0]);
  });

  it('reads two pages at once, and none for a client that has left meanwhile', async () => {
    const reads: (() => void)[] = [];
    const list = () => new Promise<JobPage>((resolve) => reads.push(() => resolve({ jobs: [], next: null })));
    const handle = api.app({ database: { ...api.database, jobs: { ...api.database.jobs, list } } });
    const asked: ServerResponse[] = [];
    const server = createServer((given, response) => (asked.push(response), handle(given, response)));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    const clients = Array.from({ length: 4 }, () => get({ port, host: '127.0.0.1', path: '/v1/jobs', agent: false }));
    const answered = clients.map((client) => once(client, 'response').catch(() => null)); // null for the one that leaves
    await eventually(() => expect(asked).toHaveLength(4));

    const [third, fourth] = [asked[2], asked[3]] as [ServerResponse, ServerResponse];
    // Which client's request came third, only the ports tell.
    const leaver = clients.find(({ socket }) => (socket as Socket).localPort === third.req.socket.remotePort);
    leaver?.destroy();
    await eventually(() => expect(third.destroyed).toBe(true));
    expect(reads).toHaveLength(2);
    reads[0]?.();
    await eventually(() => expect(reads).toHaveLength(3));
    for (const finish of reads) finish();
    await Promise.all(answered);
    expect([fourth.statusCode, reads.length]).toEqual([200, 3]);
    server.close();
  });
});

describe('GET /v1/jobs/{id}/result', () => {
  const result = (id: string) => request(app).get(`/v1/jobs/${id}/result`);

  it('answers 202 until there is one, and then with it alone', async () => {
    const id = await submitted();
    const pending = await result(id).expect(202);
    expect(pending.body.status).toBe('queued');
    expect(Number(pending.headers['retry-after'])).toBeGreaterThan(0);
    await api.claim(id);
    await api.finish(id, { status: 'succeeded', result: [1, null, 'x'] });
    const answer = await result(id).expect(200);
    expect(answer.body).toEqual([1, null, 'x']);
    await result(id)
      .set('If-None-Match', answer.headers['etag'] as string)
      .expect(304);
  });

  it.each<[unknown, string]>([
    [null, 'null'],
    ['text', '"text"'],
    [0, '0'],
  ])('answers %j as JSON', async (value, text) => {
    const answer = await result(await ended({ status: 'succeeded', result: value })).expect(200);
    expect([answer.text, answer.headers['content-type']]).toEqual([text, 'application/json; charset=utf-8']);
  });

  it('answers 409 where there will be none', async () => {
    const { body } = await result(await ended(failed)).expect(409);
    expect(body).toMatchObject({ type: '/problems/job-failed', detail: 'permanent: no luck' });
    const id = await submitted({ delayMs: 60_000 });
    await request(app).post(`/v1/jobs/${id}/cancel`);
    expect((await result(id).expect(409)).body.type).toBe('/problems/job-cancelled');
    await result(randomUUID()).expect(404);
  });
});

describe('POST /v1/jobs/{id}/retry', () => {
  const retry = (id: string) => request(app).post(`/v1/jobs/${id}/retry`);

  it('queues a failed job again, with what it failed with before', async () => {
    const id = await ended(failed);
    const { body } = await retry(id).expect(202).expect('Location', `/v1/jobs/${id}`);
    expect(body).toMatchObject({ id, status: 'queued', error: null, finishedAt: null, attempt: 1 });
    expect(body.errors).toMatchObject([{ code: 'permanent', message: 'no luck' }]);
    expect((await api.claim(id)).kind).toBe('claimed');
  });

  it('queues a cancelled job again', async () => {
    const id = await submitted({ delayMs: 60_000 });
    await request(app).post(`/v1/jobs/${id}/cancel`).expect(200);
    expect((await retry(id).expect(202)).body).toMatchObject({ status: 'queued', attempt: 0 });
  });

  it('refuses others', async () => {
    for (const id of [await submitted(), await ended()]) {
      expect((await retry(id).expect(409)).body.type).toBe('/problems/job-not-finished');
    }
    await retry(randomUUID()).expect(404);
  });
});

describe('DELETE /v1/jobs/{id}', () => {
  it('deletes finished jobs, and no others', async () => {
    const id = await ended();
    const { text } = await request(app).delete(`/v1/jobs/${id}`).expect(204);
    expect(text).toBe('');
    await request(app).get(`/v1/jobs/${id}`).expect(404);
    await request(app).delete(`/v1/jobs/${id}`).expect(404);
    const unfinished = await submitted();
    const { body } = await request(app).delete(`/v1/jobs/${unfinished}`).expect(409);
    expect(body.type).toBe('/problems/job-not-finished');
  });
});

describe('a queued job', () => {
  it('has its position, and when it is likely to start once that is known', async () => {
    const ids: string[] = [];
    for (let index = 0; index < 4; index += 1) ids.push(await submitted({ queue: 'mail' }));
    const position = async (id: string) => (await request(app).get(`/v1/jobs/${id}`).expect(200)).body.position;
    expect(await Promise.all(ids.map(position))).toEqual([1, 2, 3, 4].map((one) => expect.closeTo(one + 1, 0)));
  });
});

it('counts the jobs and the consumers of each queue', async () => {
  await submitted({ queue: 'mail', delayMs: 60_000 });
  // The broker may not have been asked yet, and among many jobs it is the last sample that is shown.
  await eventually(async () => {
    const { body } = await request(app).get('/v1/queues').expect(200);
    expect(body.priorities).toBe(Number.parseInt(api.broker.brokerVersion ?? '', 10) >= 4);
    expect(body.queues.map(({ queue }: { queue: string }) => queue)).toEqual(['default', 'mail']);
    expect(body.queues[1]).toMatchObject({ running: 0, consumers: 0 });
    expect(body.queues[1].scheduled).toBeGreaterThan(0);
    expect(body.queues[1].ready).toBeGreaterThan(0);
    expect(body.queues[1].oldestWaitingMs).toBeGreaterThanOrEqual(0);
  });
});

describe('the contract', () => {
  it('is served, and readable at /docs with nothing of any other host', async () => {
    const { body } = await request(app)
      .get('/openapi.json')
      .expect(200)
      .expect('Content-Type', /^application\/json/);
    expect(body.openapi).toBe('3.1.1');
    const page = await request(app)
      .get('/docs')
      .expect(200)
      .expect('Content-Type', /^text\/html/);
    const links = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, link]) => link as string);
    expect(links.length).toBeGreaterThan(3);
    for (const link of links) await request(app).get(link).expect(200);
    expect(page.headers['content-security-policy']).toContain("script-src 'self'");
  });

  it('explains a problem type', async () => {
    const { body } = await request(app).get('/problems/queue-full').expect(200);
    expect(body).toMatchObject({ type: '/problems/queue-full', status: 503 });
    await request(app).get('/problems/constructor').expect(404);
  });
});
