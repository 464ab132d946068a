import assert from 'node:assert/strict';
import type { WebhookDelivery } from '@offload/jobs/webhooks';
import { rowsOf } from '../row.ts';
import { sleep } from '../scene.ts';

/** No webhook is sent there, because the notifier of these rows has no secrets. */
const url = 'https://receiver.example/hooks';
const post = { path: '/v1/jobs', body: { ...sleep, webhook: { url } } };

/** Webhooks of jobs. */
export const webhooks = rowsOf('Contract', [
  {
    section: 'Webhooks',
    rule: 'A finished job has one pending webhook, to its own URL',
    asked: 'GET /v1/jobs/{id}/deliveries of a job with webhook that has succeeded',
    answered: '200 with one delivery of succeeded; Cache-Control: no-store',
    async run({ ask, get }) {
      const job = await get({ ...post, headers: { prefer: 'wait=20' } });
      const { headers, body } = await ask({ path: `/v1/jobs/${job.id}/deliveries` });
      const { deliveries } = JSON.parse(body) as { deliveries: WebhookDelivery[] };
      assert.deepEqual(
        deliveries.map((each) => [each.jobId, each.endpoint, each.url, each.event, each.status]),
        [[job.id, null, url, 'succeeded', 'pending']],
      );
      assert.equal(headers['cache-control'], 'no-store');
    },
  },
  {
    section: 'Webhooks',
    rule: 'Without a secret to sign it, a webhook is refused',
    asked: 'POST /v1/jobs with webhook, where WEBHOOK_SECRETS is not set',
    request: { ...post, at: 'stranded' },
    expect: { status: 400, problem: 'invalid-request', body: { errors: [{ pointer: '/webhook' }] } },
  },
]);
