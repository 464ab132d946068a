import assert from 'node:assert/strict';
import type { JobWithLinks } from '@offload/jobs/answers';
import type { WebhookDelivery } from '@offload/jobs/webhooks';
import { jsonOf } from '../answer.ts';
import { rowsOf, type Expected } from '../row.ts';
import { sleep, type Scene } from '../scene.ts';

const path = '/v1/jobs';
const unknown = '01900000-0000-7000-8000-000000000000';
/** Nothing is sent there: the notifier of these rows has no secrets. */
const url = 'https://receiver.example/hooks';
const post = (webhook: unknown) => ({ path, body: { ...sleep, webhook } });
const wrong = (pointer: string): Expected => ({
  status: 400,
  problem: 'invalid-request',
  body: { errors: [{ pointer }] },
});
const logOf = (id: string): string => `${path}/${id}/deliveries`;
const again = (id: string): string => `/v1/deliveries/${id}/redeliver`;

/** A job with a webhook that has succeeded, and what is owed for that. */
async function told({ get }: Scene, webhook: object = { url }): Promise<[JobWithLinks, WebhookDelivery[]]> {
  const job = await get({ ...post(webhook), headers: { prefer: 'wait=20' } });
  assert.equal(job.status, 'succeeded');
  const { deliveries } = await get<{ deliveries: WebhookDelivery[] }>({ path: logOf(job.id) });
  return [job, deliveries];
}

/** Webhooks of jobs: where they go, what became of them, and once more. */
export const webhooks = rowsOf('Contract', [
  {
    section: 'Webhooks',
    rule: 'A job that has ended is owed one webhook, to where it said',
    asked: 'GET /v1/jobs/{id}/deliveries of a job with webhook that has succeeded',
    answered: '200 with one delivery of succeeded; Cache-Control: no-store',
    async run(scene) {
      const [{ id }, [delivery, ...more]] = await told(scene);
      assert.equal(more.length, 0);
      const { jobId, endpoint, event, status } = delivery as WebhookDelivery;
      assert.deepEqual([jobId, endpoint, delivery?.url, event, status], [id, null, url, 'succeeded', 'pending']);
      assert.equal((await scene.ask({ path: logOf(id) })).headers['cache-control'], 'no-store');
    },
  },
  {
    section: 'Webhooks',
    rule: 'events says which ends are told',
    asked: 'GET /v1/jobs/{id}/deliveries of a job that has succeeded and wants failed and cancelled to be told',
    answered: '200 with none',
    async run(scene) {
      const [, deliveries] = await told(scene, { url, events: ['failed', 'cancelled'] });
      assert.deepEqual(deliveries, []);
    },
  },
  {
    section: 'Webhooks',
    rule: 'A job that ends again is told again',
    asked: 'GET /v1/jobs/{id}/deliveries of a job that was cancelled, retried and cancelled',
    answered: '200 with two deliveries of cancelled',
    async run({ get }) {
      const { id } = await get({ path, body: { ...sleep, queue: 'idle', webhook: { url } } }, 202);
      await get({ method: 'POST', path: `${path}/${id}/cancel` });
      await get({ method: 'POST', path: `${path}/${id}/retry` }, 202);
      await get({ method: 'POST', path: `${path}/${id}/cancel` });
      const { deliveries } = await get<{ deliveries: WebhookDelivery[] }>({ path: logOf(id) });
      assert.deepEqual(
        deliveries.map(({ event }) => event),
        ['cancelled', 'cancelled'],
      );
      assert.notEqual(deliveries[0]?.id, deliveries[1]?.id);
    },
  },
  {
    section: 'Webhooks',
    rule: 'No answer about a job shows its webhook',
    asked: 'POST /v1/jobs with webhook, and GET of the job',
    answered: '202 and 200, without its URL',
    async run({ get }) {
      const made = await get(post({ url }), 202);
      const shown = await get({ path: `${path}/${made.id}` });
      assert.ok(!JSON.stringify([made, shown]).includes('receiver.example'), 'it is shown');
    },
  },
  {
    section: 'Webhooks',
    rule: 'A webhook is http or https',
    request: post({ url: 'ftp://receiver.example/' }),
    expect: wrong('/webhook/url'),
  },
  {
    section: 'Webhooks',
    rule: 'A webhook has no user name and password',
    request: post({ url: 'https://user:password@receiver.example/' }),
    expect: wrong('/webhook/url'),
  },
  {
    section: 'Webhooks',
    rule: 'events are ends of jobs, each once',
    request: post({ url, events: ['failed', 'failed'] }),
    expect: wrong('/webhook/events'),
  },
  {
    section: 'Webhooks',
    rule: 'Where nobody could sign it, a webhook is refused',
    asked: 'POST /v1/jobs with webhook, where WEBHOOK_SECRETS is not set',
    request: { ...post({ url }), at: 'stranded' },
    expect: wrong('/webhook'),
  },
  {
    section: 'Webhooks',
    rule: 'A webhook is delivered again, whatever became of it: 202, and Location is the log',
    asked: 'POST /v1/deliveries/{id}/redeliver of the delivery of a job',
    answered: '202 with the delivery, Location: /v1/jobs/{id}/deliveries',
    async run(scene) {
      const [{ id }, [delivery]] = await told(scene);
      const answer = await scene.ask({ method: 'POST', path: again(String(delivery?.id)) });
      assert.deepEqual([answer.status, answer.headers['location']], [202, logOf(id)]);
      const { id: sameId, status } = jsonOf<WebhookDelivery>(answer);
      assert.deepEqual([sameId, status], [delivery?.id, 'pending']);
    },
  },
  {
    section: 'Webhooks',
    rule: 'Deliveries go with their job',
    asked: 'DELETE of a job that is owed a webhook, GET of its deliveries, and POST redeliver of that',
    answered: '204, 404 job-not-found and 404 delivery-not-found',
    async run(scene) {
      const [{ id }, [delivery]] = await told(scene);
      const deleted = await scene.ask({ method: 'DELETE', path: `${path}/${id}` });
      const log = await scene.ask({ path: logOf(id) });
      const redelivered = await scene.ask({ method: 'POST', path: again(String(delivery?.id)) });
      assert.equal(deleted.status, 204);
      const types = [log, redelivered].map((answer) => jsonOf<{ type: string }>(answer).type);
      assert.deepEqual(types, ['/problems/job-not-found', '/problems/delivery-not-found']);
    },
  },
  {
    section: 'Webhooks',
    rule: 'A delivery that is not there: 404 delivery-not-found',
    request: { method: 'POST', path: again(unknown) },
    expect: { status: 404, problem: 'delivery-not-found' },
  },
  {
    section: 'Webhooks',
    rule: 'An id of a delivery that is none is refused',
    request: { method: 'POST', path: again('seven') },
    expect: { status: 400, problem: 'invalid-request', body: { errors: [{ parameter: 'id' }] } },
  },
  {
    section: 'Webhooks',
    rule: 'The log is for read, redelivery for manage',
    asked: 'both, with a key for read alone and with one for manage alone',
    answered: '404 and 403; 403 and 404',
    async run({ ask }) {
      const statuses: number[] = [];
      for (const by of ['reader', 'manager'] as const) {
        statuses.push((await ask({ path: logOf(unknown), by })).status);
        statuses.push((await ask({ method: 'POST', path: again(unknown), by })).status);
      }
      assert.deepEqual(statuses, [404, 403, 403, 404]);
    },
  },
]);
