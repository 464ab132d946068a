import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { eventually, manage } from '@offload/spec-kit';
import { startSystem, type System, type SystemProcess } from '@offload/running-system';
import { finished, getJob, metric, submit } from '@offload/running-system/requests';

let system: System;
let api: SystemProcess;
let worker: SystemProcess;

beforeAll(async () => {
  system = await startSystem();
  [api, worker] = await Promise.all([system.startApi(), system.startWorker({ WORKER_CONCURRENCY: '1' })]);
});
afterAll(() => system?.stop());

interface DeadLetter {
  payload: string;
  properties: { message_id?: string; headers: Record<string, string> };
}

/** Puts any message into the queue of the jobs. */
async function publish(payload: string, properties: object = { message_id: randomUUID() }): Promise<void> {
  const body = { routing_key: 'default', payload, payload_encoding: 'string', properties };
  const answer = await manage('POST', `/api/exchanges/${system.vhost}/jobs/publish`, body);
  expect(answer).toEqual({ routed: true });
}

/** Takes `count` messages from the dead letters when they have arrived. */
async function deadLetters(count: number): Promise<DeadLetter[]> {
  const found: DeadLetter[] = [];
  return eventually(async () => {
    const body = { count, ackmode: 'ack_requeue_false', encoding: 'auto' };
    found.push(...((await manage('POST', `/api/queues/${system.vhost}/jobs.dead/get`, body)) as DeadLetter[]));
    expect(found).toHaveLength(count);
    return found;
  });
}

it('moves malformed dispatch messages to the dead letters with the reason, and continues', async () => {
  const broken: [payload: string, properties: object | undefined, reason: RegExp][] = [
    ['{"jobId":', undefined, /^not JSON/],
    ['{"jobId":"seven","type":"demo.sleep"}', undefined, /^\/jobId: /],
    ['null', undefined, /^\/: /],
    [`{"jobId":"${randomUUID()}","type":"demo.sleep"}`, {}, /message_id/],
  ];
  for (const [payload, properties] of broken) await publish(payload, properties);

  const letters = await deadLetters(broken.length);
  for (const [index, [, , reason]] of broken.entries()) {
    expect(letters[index]?.properties.headers['x-offload-reason']).toMatch(reason);
    expect(letters[index]?.properties.headers['x-offload-queue']).toBe('default');
  }
  const job = await submit(api, { type: 'demo.sleep', payload: { seconds: 0 } });
  expect(await finished(api, job)).toMatchObject({ status: 'succeeded', attempt: 1 });
});

it('keeps a dead letter as it was sent, with its message id', async () => {
  const message_id = randomUUID();
  await publish('{"jobId":"seven"}', { message_id });

  const [letter] = await deadLetters(1);
  expect(letter?.properties.message_id).toBe(message_id);
  expect(letter?.payload).toBe('{"jobId":"seven"}');
});

it('drops a second dispatch message of a finished job, and a dispatch message of an unknown job', async () => {
  const job = await submit(api, { type: 'demo.sleep', payload: { seconds: 0 } });
  const done = await finished(api, job);
  const refused = await metric(worker, 'offload_deliveries_total{claim="refused"}');
  await publish(JSON.stringify({ jobId: job.id, type: job.type }));
  await publish(JSON.stringify({ jobId: randomUUID(), type: job.type }));

  await eventually(async () => {
    expect(await metric(worker, 'offload_deliveries_total{claim="refused"}')).toBe(refused + 2);
  });
  expect(await getJob(api, job.id)).toEqual(done);
});
