import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import type { WebhookDelivery } from '@offload/jobs/webhooks';
import type { Outcome } from '@offload/database';
import type { TakenWebhook } from '@offload/database/webhooks';
import request from 'supertest';
import { useApi } from './spec-api.ts';

const sleep = { type: 'demo.sleep', payload: { seconds: 1 } };
const url = 'https://example.com/hooks/offload?for=us';
const failed = { status: 'failed', error: { code: 'permanent', message: 'no luck', attempt: 1 } } satisfies Outcome;
const api = useApi();
let app: ReturnType<typeof api.app>;
beforeAll(() => void (app = api.app()));

const post = (body: unknown, path = '/v1/jobs') =>
  request(app).post(path).set('Content-Type', 'application/json').send(JSON.stringify(body));
const submitted = async (more: object = { webhook: { url } }): Promise<string> =>
  (await post({ ...sleep, ...more }).expect(202)).body.id;
const order = (what: 'cancel' | 'retry', id: string) => request(app).post(`/v1/jobs/${id}/${what}`);
const deliveriesOf = async (id: string): Promise<WebhookDelivery[]> =>
  (await request(app).get(`/v1/jobs/${id}/deliveries`).expect(200)).body.deliveries;

async function ended(outcome?: Outcome, more?: object): Promise<string> {
  const id = await submitted(more);
  await api.claim(id);
  await api.finish(id, outcome);
  return id;
}

/** Takes all that is due, as a notifier does, and answers the one delivery that counts here. */
async function taken(id: string): Promise<TakenWebhook> {
  const all = {
    limit: 1_000,
    maxBytes: 100_000_000,
    perHost: 1_000,
    room: new Map<string, number>(),
    endpoints: [],
    jobsOwn: true,
    leaseMs: 60_000,
  };
  const { taken } = await api.database.webhooks.take(all);
  return taken.find((each) => each.id === id) as TakenWebhook;
}

async function delivered(id: string): Promise<void> {
  const { attempt } = await taken(id);
  const entry = { durationMs: 12, status: 204, error: null };
  await api.database.webhooks.record({ id, attempt, entry, outcome: { kind: 'delivered' } });
}

describe('a job with a webhook', () => {
  it('is answered like any other: where its webhook goes is not shown', async () => {
    const { body } = await post({ ...sleep, webhook: { url, events: ['failed'] } }).expect(202);
    const shown = await request(app).get(`/v1/jobs/${body.id}`).expect(200);
    for (const job of [body, shown.body]) expect(JSON.stringify(job)).not.toContain('example.com');
  });

  it.each<[event: string, end: () => Promise<string>]>([
    ['succeeded', () => ended()],
    ['failed', () => ended(failed)],
    ['cancelled', () => ended({ status: 'cancelled' })],
    [
      'cancelled',
      async () => {
        const id = await submitted();
        await order('cancel', id).expect(200);
        return id;
      },
    ],
  ])('stores one webhook delivery when it has %s', async (event, end) => {
    const id = await end();
    const [delivery, ...more] = await deliveriesOf(id);
    expect(more).toEqual([]);
    expect(delivery).toEqual({
      ...{ id: expect.any(String), jobId: id, endpoint: null, url, event, status: 'pending', attempts: [] },
      ...{ createdAt: expect.any(String), nextAttemptAt: expect.any(String), endedAt: null, error: null },
    });
  });

  it('stores no webhook delivery before its end, nor for an end that its events leave out', async () => {
    const again = await ended({ status: 'scheduled', delayMs: 60_000, error: failed.error });
    expect(await deliveriesOf(again)).toEqual([]);
    expect(await deliveriesOf(await ended(undefined, { webhook: { url, events: ['failed', 'cancelled'] } }))).toEqual(
      [],
    );
    expect(await deliveriesOf(await ended(undefined, {}))).toEqual([]);
  });

  it('stores another webhook delivery when it is retried by hand and ends again, each with the job as it was then', async () => {
    const id = await ended(failed);
    await order('retry', id).expect(202);
    expect(await deliveriesOf(id)).toHaveLength(1);
    await api.claim(id);
    await api.database.jobs.settle({ jobId: id, attempt: 2, outcome: { status: 'succeeded', result: { sleptMs: 2 } } });

    const [first, second, ...more] = await deliveriesOf(id);
    expect(more).toEqual([]);
    expect([first?.event, second?.event]).toEqual(['failed', 'succeeded']);
    expect(second?.id).not.toBe(first?.id);
    expect((await taken(String(first?.id))).job).toMatchObject({ id, status: 'failed', attempt: 1 });
  });

  it('loses its pending webhooks when it is deleted', async () => {
    const id = await ended();
    const [delivery] = await deliveriesOf(id);
    await request(app).delete(`/v1/jobs/${id}`).expect(204);
    const list = await request(app).get(`/v1/jobs/${id}/deliveries`).expect(404);
    expect(list.body.type).toBe('/problems/job-not-found');
    await request(app).post(`/v1/deliveries/${delivery?.id}/redeliver`).expect(404);
    expect(await taken(String(delivery?.id))).toBeUndefined();
  });

  it('in a batch has its own', async () => {
    const jobs = [sleep, { ...sleep, webhook: { url } }, { ...sleep, webhook: { url: `${url}&third` } }];
    const { body } = await post({ jobs }, '/v1/jobs/batch').expect(202);
    const urls = [];
    for (const { id } of body.jobs) {
      await order('cancel', id).expect(200);
      urls.push((await deliveriesOf(id)).map((delivery) => delivery.url));
    }
    expect(urls).toEqual([[], [url], [`${url}&third`]]);
  });

  it('does not get the webhook of a later request for the same job, nor a second one of the same request', async () => {
    const job = { ...sleep, dedupeKey: randomUUID(), webhook: { url } };
    const first = await post(job).expect(202);
    const other = await post({ ...job, webhook: { url: 'https://elsewhere.example/' } }).expect(200);
    expect([other.body.id, other.headers['deduplicated']]).toEqual([first.body.id, 'true']);
    await order('cancel', first.body.id).expect(200);
    expect((await deliveriesOf(first.body.id)).map((delivery) => delivery.url)).toEqual([url]);

    const key = `"${randomUUID()}"`;
    const once = { ...sleep, webhook: { url } };
    const { id } = (await post(once).set('Idempotency-Key', key).expect(202)).body;
    await post(once).set('Idempotency-Key', key).expect(202).expect('Idempotency-Replayed', 'true');
    await post({ ...once, webhook: { url: `${url}&more` } })
      .set('Idempotency-Key', key)
      .expect(422);
    await order('cancel', id).expect(200);
    expect(await deliveriesOf(id)).toHaveLength(1);
  });

  it('is refused without WEBHOOK_SECRETS, by its place in the body', async () => {
    const without = api.app({ ownWebhooks: false });
    const asked = [
      { path: '/v1/jobs', body: { ...sleep, webhook: { url } }, pointer: '/webhook' },
      { path: '/v1/jobs/batch', body: { jobs: [sleep, { ...sleep, webhook: { url } }] }, pointer: '/jobs/1/webhook' },
    ];
    for (const { path, body, pointer } of asked) {
      const answer = await request(without).post(path).send(body).expect(400);
      expect(answer.body).toMatchObject({
        type: '/problems/invalid-request',
        errors: [{ pointer, detail: expect.stringMatching(/WEBHOOK_SECRETS is not set/) }],
      });
    }
    await request(without).post('/v1/jobs').send(sleep).expect(202);
  });

  it.each<[what: string, webhook: unknown, pointer: string]>([
    ['null', null, '/webhook'],
    ['a number', 7, '/webhook'],
    ['the URL alone', url, '/webhook'],
    ['a list', [{ url }], '/webhook'],
    ['nothing', {}, '/webhook/url'],
    ['another member', { url, secret: 'whsec_mine' }, '/webhook/secret'],
    ['headers of its own', { url, headers: { Host: 'inside' } }, '/webhook/headers'],
    ['a number for a URL', { url: 7 }, '/webhook/url'],
    ['an empty URL', { url: '' }, '/webhook/url'],
    ['a relative URL', { url: '/hooks' }, '/webhook/url'],
    ['a URL without a scheme', { url: '//example.com/hooks' }, '/webhook/url'],
    ['ftp:', { url: 'ftp://example.com/' }, '/webhook/url'],
    ['file:', { url: 'file:///etc/passwd' }, '/webhook/url'],
    ['javascript:', { url: 'javascript:alert(1)' }, '/webhook/url'],
    ['credentials', { url: 'https://user:password@example.com/' }, '/webhook/url'],
    ['a user name', { url: 'https://user@example.com/' }, '/webhook/url'],
    ['a port that is none', { url: 'http://example.com:99999/' }, '/webhook/url'],
    ['a host with NUL', { url: 'http://a\u0000b/' }, '/webhook/url'],
    ['3,000 characters', { url: `https://example.com/${'a'.repeat(2_980)}` }, '/webhook/url'],
    ['no events', { url, events: [] }, '/webhook/events'],
    ['an event twice', { url, events: ['failed', 'failed'] }, '/webhook/events'],
    ['an event that there is not', { url, events: ['failed', 'progress'] }, '/webhook/events/1'],
    ['an event that is no end', { url, events: ['running'] }, '/webhook/events/0'],
    ['events that are no list', { url, events: 'failed' }, '/webhook/events'],
    ['null for events', { url, events: null }, '/webhook/events'],
  ])('is refused with %s', async (_what, webhook, pointer) => {
    const single = await post({ ...sleep, webhook }).expect(400);
    expect(single.body.errors).toMatchObject([{ pointer }]);
    const batch = await post({ jobs: [sleep, { ...sleep, webhook }] }, '/v1/jobs/batch').expect(400);
    expect(batch.body.errors).toMatchObject([{ pointer: `/jobs/1${pointer}` }]);
  });

  it.each([
    ['NUL', 'https://example.com/a\u0000b', 'https://example.com/a%00b'],
    ['half a pair', 'https://example.com/\ud800', 'https://example.com/%EF%BF%BD'],
    [
      'letters of all kinds',
      'HTTPS://Bücher.example/für?wen=üns#hier',
      'https://xn--bcher-kva.example/f%C3%BCr?wen=%C3%BCns#hier',
    ],
    ['a line break', 'http://exam\r\nple.com/', 'http://example.com/'],
    ['spaces around it', ' https://example.com/ ', 'https://example.com/'],
  ])('with %s in its URL goes where that leads', async (_what, given, sent) => {
    const id = await ended(undefined, { webhook: { url: given } });
    expect(await deliveriesOf(id)).toMatchObject([{ url: sent }]);
  });
});

describe('GET /v1/jobs/{id}/deliveries', () => {
  it('shows each attempt, and when the next one is', async () => {
    const id = await ended();
    const [{ id: deliveryId }] = (await deliveriesOf(id)) as [WebhookDelivery];
    const { attempt } = await taken(deliveryId);
    expect(await deliveriesOf(id)).toMatchObject([{ status: 'pending', nextAttemptAt: null }]);
    const entry = { durationMs: 250, status: 503, error: 'it answered 503' };
    await api.database.webhooks.record({
      ...{ id: deliveryId, attempt, entry },
      outcome: { kind: 'retry', delayMs: 30_000 },
    });
    const [delivery] = (await deliveriesOf(id)) as [WebhookDelivery];
    expect(delivery.attempts).toEqual([{ number: 1, at: expect.any(String), ...entry }]);
    expect(Date.parse(String(delivery.nextAttemptAt)) - Date.now()).toBeGreaterThan(20_000);
  });

  it('is not to be cached', async () => {
    const id = await submitted({});
    await request(app).get(`/v1/jobs/${id}/deliveries`).expect(200).expect('Cache-Control', 'no-store');
  });

  it('keeps the path of a configured endpoint to itself', async () => {
    const configured = { name: 'billing', url: 'https://billing.example/secret/path?token=1' };
    const matches = { events: ['succeeded'] as const, types: [], queues: [], tags: ['billed'] };
    await api.database.webhooks.register([{ ...configured, ...matches }]);
    const id = await ended(undefined, { tags: ['billed'], webhook: { url } });
    const shown = (await deliveriesOf(id)).map(({ endpoint, url }) => ({ endpoint, url }));
    expect(shown).toHaveLength(2);
    expect(shown).toEqual(
      expect.arrayContaining([
        { endpoint: 'billing', url: 'https://billing.example' },
        { endpoint: null, url },
      ]),
    );
    await api.database.webhooks.register([]);
  });

  it('tells a wrong id from an unknown one, and has no other method', async () => {
    const wrong = await request(app).get('/v1/jobs/seven/deliveries').expect(400);
    expect(wrong.body.errors).toMatchObject([{ parameter: 'id' }]);
    const unknown = await request(app).get(`/v1/jobs/${randomUUID()}/deliveries`).expect(404);
    expect(unknown.body.type).toBe('/problems/job-not-found');
    await request(app).post(`/v1/jobs/${randomUUID()}/deliveries`).expect(405).expect('Allow', 'GET, HEAD, OPTIONS');
  });
});

describe('POST /v1/deliveries/{id}/redeliver', () => {
  const redeliver = (id: string) => request(app).post(`/v1/deliveries/${id}/redeliver`);

  it('delivers a delivered webhook again, under the same id, and says where its log is', async () => {
    const id = await ended();
    const [{ id: deliveryId }] = (await deliveriesOf(id)) as [WebhookDelivery];
    await delivered(deliveryId);
    expect(await deliveriesOf(id)).toMatchObject([{ status: 'delivered', endedAt: expect.any(String) }]);

    const { body } = await redeliver(deliveryId.toUpperCase())
      .expect(202)
      .expect('Location', `/v1/jobs/${id}/deliveries`);
    expect(body).toMatchObject({ id: deliveryId, jobId: id, status: 'pending', endedAt: null });
    expect(body.attempts).toMatchObject([{ number: 1, status: 204, error: null }]);
    expect(await deliveriesOf(id)).toEqual([body]);
    expect(await taken(deliveryId)).toMatchObject({ tries: 1, attempt: 2 });
  });

  it('delivers a webhook that was given up again, with every try', async () => {
    const id = await ended(failed);
    const [{ id: deliveryId }] = (await deliveriesOf(id)) as [WebhookDelivery];
    const { attempt } = await taken(deliveryId);
    const entry = { durationMs: 1, status: null, error: 'connect ECONNREFUSED' };
    await api.database.webhooks.record({ id: deliveryId, attempt, entry, outcome: { kind: 'failed' } });
    await redeliver(deliveryId).expect(202);
    expect(await taken(deliveryId)).toMatchObject({ tries: 1, attempt: 2, event: 'failed' });
  });

  it('ignores a body', async () => {
    const id = await ended();
    const [delivery] = await deliveriesOf(id);
    await redeliver(String(delivery?.id)).set('Content-Type', 'text/plain').send('{').expect(202);
  });

  it('tells a wrong id from an unknown one, and has no other method', async () => {
    expect((await redeliver('seven').expect(400)).body.errors).toMatchObject([{ parameter: 'id' }]);
    const unknown = await redeliver(randomUUID()).expect(404);
    expect(unknown.body.type).toBe('/problems/delivery-not-found');
    await request(app).get(`/v1/deliveries/${randomUUID()}/redeliver`).expect(405).expect('Allow', 'POST, OPTIONS');
  });
});
