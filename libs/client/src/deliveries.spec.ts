import { describe, expect, it } from '@jest/globals';
import { jobDefinitions } from '@offload/jobs/job-types';
import type { Delivery } from './deliveries.ts';
import { answer, clientOf, cut, job, JOB_ID, problem, serve } from './spec-server.ts';

const { demoSleep } = jobDefinitions;
const DELIVERY_ID = '01a1fba9-8b1c-7d5e-9f20-3c4f6a7b8c9d';
const delivery = (changes: Partial<Delivery> = {}): Delivery => ({
  ...{ id: DELIVERY_ID, jobId: JOB_ID, endpoint: null, url: 'https://example.com/hook', event: 'succeeded' },
  ...{ status: 'pending', attempts: [], createdAt: '2026-11-21T10:00:02.000Z' },
  ...{ nextAttemptAt: '2026-11-21T10:00:02.000Z', endedAt: null, error: null },
  ...changes,
});

it('submits the webhook of a job, alone and in a batch', async () => {
  const accepted = answer(202, job());
  const server = await serve(accepted, accepted, answer(202, { jobs: [job()] }));
  const client = clientOf(server);
  const { href } = new URL('https://example.com/hook');
  await client.submit(demoSleep, {}, { webhook: { url: href } });
  await client.submit(demoSleep, {}, { webhook: { url: new URL(href), events: ['failed'] } });
  await client.submitBatch([[demoSleep, {}, { webhook: { url: href, events: ['failed', 'cancelled'] } }]]);

  const only = { url: href, events: ['failed'] };
  expect(server.received[0]?.body).toEqual({ type: 'demo.sleep', payload: {}, webhook: { url: href } });
  expect(server.received[1]?.body).toEqual({ type: 'demo.sleep', payload: {}, webhook: only });
  expect(server.received[2]?.body).toMatchObject({ jobs: [{ webhook: { events: ['failed', 'cancelled'] } }] });
});

describe("a job's deliveries", () => {
  it('are those that the api lists, also after a repeated request', async () => {
    const all = [delivery({ status: 'delivered' }), delivery({ event: 'failed' })];
    const server = await serve(problem(503, 'database-unavailable'), answer(200, { deliveries: all }));
    expect(await clientOf(server).job(JOB_ID).deliveries()).toEqual(all);
    expect(server.received[1]).toMatchObject({ method: 'GET', path: `/v1/jobs/${JOB_ID}/deliveries` });
  });

  it('are requested under the path of the api', async () => {
    const server = await serve(answer(200, { deliveries: [] }));
    await clientOf(server, { baseUrl: `${server.url}/offload` })
      .job(JOB_ID)
      .deliveries();
    expect(server.received[0]?.path).toBe(`/offload/v1/jobs/${JOB_ID}/deliveries`);
  });

  it.each([
    ['no list', job()],
    ['a list of something else', { deliveries: [job()] }],
    ['a list of nothing', { deliveries: [null] }],
  ])('are not read from %s', async (_what, body) => {
    const call = clientOf(await serve(answer(200, body)))
      .job(JOB_ID)
      .deliveries();
    await expect(call).rejects.toMatchObject({ code: 'unexpected-answer' });
  });

  it('reject for an unknown job, and with the reason of a signal', async () => {
    const client = clientOf(await serve(problem(404, 'job-not-found')));
    await expect(client.job(JOB_ID).deliveries()).rejects.toMatchObject({ slug: 'job-not-found' });
    const reason = new Error('enough');
    await expect(client.job(JOB_ID).deliveries({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});

describe('redeliver', () => {
  it('resolves with the webhook that is pending again, also after a repeated request', async () => {
    const server = await serve(cut, answer(202, delivery()));
    expect(await clientOf(server).redeliver(DELIVERY_ID.toUpperCase())).toEqual(delivery());
    expect(server.received[1]).toMatchObject({
      ...{ method: 'POST', path: `/v1/deliveries/${DELIVERY_ID}/redeliver`, body: undefined },
    });
  });

  it('rejects for an unknown delivery and a malformed answer, and sends no request for a malformed id', async () => {
    const server = await serve(problem(404, 'delivery-not-found'), answer(202, job()));
    const client = clientOf(server);
    await expect(client.redeliver(DELIVERY_ID)).rejects.toMatchObject({ slug: 'delivery-not-found' });
    await expect(client.redeliver(DELIVERY_ID)).rejects.toMatchObject({ code: 'unexpected-answer' });
    await expect(client.redeliver('../jobs')).rejects.toThrow(new TypeError('id: must be a UUID'));
    expect(server.received).toHaveLength(2);
  });
});
