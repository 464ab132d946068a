import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { jobRegistration } from '@offload/jobs/definitions';
import { BrokerUnavailableError } from '@offload/messaging';
import { eventually } from '@offload/spec-kit';
import request from 'supertest';
import type { Dispatcher } from './dispatcher.ts';
import { useApi } from './spec-api.ts';

const api = useApi();
let app: ReturnType<typeof api.app>;
beforeAll(() => void (app = api.app()));

const error = { code: 'handler-error', message: 'no luck' };
const slept = { sleptMs: 1 };
const policy = { maxAttempts: 2, timeoutMs: 30_000, backoff: { baseMs: 60_000, factor: 1, maxMs: 60_000 } };
const submitted = async (more: object = {}): Promise<string> => {
  const job = { type: 'demo.sleep', payload: { seconds: 1 }, ...policy, ...more };
  return (await request(app).post('/v1/jobs').send(job).expect(202)).body.id;
};
const deliveryOf = (jobId: string, more: object = {}) => ({
  ...{ jobId, dispatchId: randomUUID(), redelivered: false, deliveryCount: 0 },
  ...{ claimId: randomUUID(), holder: 'python-1', ...more },
});
const claim = (delivery: object) => request(app).post('/v1/claims').send(delivery);
const read = async (id: string) => (await request(app).get(`/v1/jobs/${id}`).expect(200)).body;

/** A type whose results may be anything. */
const untyped = { type: 'spec.untyped', payload: {} };
beforeAll(async () => {
  const { type } = untyped;
  await api.database.jobTypes.register([jobRegistration.parse({ type, payloadSchema: {} })], null);
});

/** A job whose first attempt runs. */
async function running(more: object = {}) {
  const delivery = deliveryOf(await submitted(more));
  await claim(delivery).expect(200);
  const at = `/v1/jobs/${delivery.jobId}/attempts`;
  return {
    delivery,
    id: delivery.jobId,
    settle: (body: object, attempt = 1) => request(app).put(`${at}/${attempt}/outcome`).send(body),
    report: (body: object, attempt = 1) => request(app).put(`${at}/${attempt}/progress`).send(body),
    /** Another worker has the dispatch message by now. */
    takenOver: () => claim({ ...delivery, redelivered: true, deliveryCount: 1, claimId: randomUUID() }).expect(200),
  };
}

describe('POST /v1/claims', () => {
  it('gives the attempt, with what the worker needs to run it', async () => {
    const id = await submitted();
    const { body } = await claim(deliveryOf(id)).expect(200);
    expect(body).toMatchObject({ attempt: 1, typeVersion: 1, timeoutMs: 30_000 });
    expect(body.job).toMatchObject({
      id,
      status: 'running',
      payload: { seconds: 1 },
      links: { self: `/v1/jobs/${id}` },
    });
  });

  it('is the same when it is sent again', async () => {
    const { delivery } = await running();
    const { body } = await claim(delivery).expect(200);
    expect(body.attempt).toBe(1);
  });

  it('knows ids in capitals, as some languages write them', async () => {
    const { jobId, dispatchId, claimId, ...rest } = deliveryOf(await submitted());
    const [one, other, own] = [jobId, dispatchId, claimId].map((id) => id.toUpperCase());
    for (const time of [1, 2]) {
      const { body } = await claim({ ...rest, jobId: one, dispatchId: other, claimId: own }).expect(200);
      expect([time, body.attempt]).toEqual([time, 1]);
    }
  });

  it('is held while the holder of the dispatch message may live, and a takeover once the broker has taken it back', async () => {
    const { delivery } = await running();
    const { body, headers } = await claim({ ...delivery, claimId: randomUUID() }).expect(409);
    expect([body.type, headers['retry-after']]).toEqual(['/problems/held', '1']);
    const next = { ...delivery, claimId: randomUUID(), redelivered: true, deliveryCount: 1 };
    expect((await claim(next).expect(200)).body.attempt).toBe(2);
  });

  it('is refused where another dispatch message holds the job, it is finished, lost for the last time, or unknown', async () => {
    const { id, settle, delivery } = await running({ maxAttempts: 1 });
    expect((await claim(deliveryOf(id)).expect(410)).body.type).toBe('/problems/refused');
    await claim({ ...delivery, claimId: randomUUID(), redelivered: true, deliveryCount: 1 }).expect(410);
    expect(await read(id)).toMatchObject({ status: 'failed', error: { code: 'worker-lost' } });
    await settle({ status: 'succeeded', result: slept }).expect(409);
    await claim(deliveryOf(randomUUID())).expect(410);
  });

  it('names what is wrong', async () => {
    const { body } = await claim({ ...deliveryOf(randomUUID()), holder: '', deliveryCount: 2 ** 31 }).expect(400);
    expect(body.errors.map(({ pointer }: { pointer: string }) => pointer).sort()).toEqual([
      '/deliveryCount',
      '/holder',
    ]);
  });
});

describe('PUT /v1/jobs/{id}/attempts/{attempt}/progress', () => {
  it('tells it, of the attempt that holds the job', async () => {
    const { id, report, takenOver } = await running();
    await report({ percent: 40, message: 'a\0b' }).expect(204);
    expect((await read(id)).progress).toEqual({ percent: 40, message: 'a\ufffdb' });
    await takenOver();
    expect((await report({ percent: 50 }).expect(409)).body.type).toBe('/problems/fenced');
  });
});

describe('PUT /v1/jobs/{id}/attempts/{attempt}/outcome', () => {
  it('stores the result, again and again, and no other', async () => {
    const { id, settle } = await running(untyped);
    const result = { sleptMs: 3, more: ['\0', 1.5] };
    for (const time of [1, 2]) {
      const { body } = await settle({ status: 'succeeded', result }).expect(200);
      expect([time, body]).toEqual([time, { status: 'succeeded', version: 3 }]);
    }
    const stored = { status: 'succeeded', result, version: 3 };
    expect(await read(id)).toMatchObject(stored);
    await settle({ status: 'succeeded', result: { sleptMs: 4 } }).expect(409);
    await settle({ status: 'failed', error }).expect(409);
    expect(await read(id)).toMatchObject(stored);
  });

  it('knows a negative zero again, which is stored as 0', async () => {
    const { id } = await running(untyped);
    const put = () => request(app).put(`/v1/jobs/${id}/attempts/1/outcome`).set('Content-Type', 'application/json');
    for (const time of [1, 2]) {
      const { body } = await put().send('{ "status": "succeeded", "result": -0.0 }').expect(200);
      expect([time, body.version]).toEqual([time, 3]);
    }
  });

  it('refuses a result that the type does not allow, and leaves the attempt as it is', async () => {
    const { id, settle } = await running();
    for (const [result, pointers] of [
      [{ sleptMs: 'long', words: 1 }, ['/result/sleptMs', '/result/words']],
      [null, ['/result']],
    ] as const) {
      const { body } = await settle({ status: 'succeeded', result }).expect(400);
      expect(body.type).toBe('/problems/invalid-request');
      expect(body.errors.map(({ pointer }: { pointer: string }) => pointer).sort()).toEqual(pointers);
    }
    expect((await read(id)).status).toBe('running');
    await settle({ status: 'succeeded', result: slept }).expect(200);
  });

  it('reads the types again before it refuses a result: another version may allow it', async () => {
    const type = 'spec.versions';
    const versions = (version: number, resultSchema: object) =>
      api.database.jobTypes.register(
        [jobRegistration.parse({ type, version, payloadSchema: {}, resultSchema, queue: 'mail' })],
        null,
      );
    await versions(1, { type: 'object', required: ['old'] });
    const { settle } = await running({ type, payload: {} });
    await versions(2, { type: 'object', required: ['new'] });
    await settle({ status: 'succeeded', result: { new: 1 } }).expect(200);
    await settle({ status: 'succeeded', result: { other: 1 } }).expect(400);
  });

  it('tries again as the back-off of the job says, and fails with the last attempt', async () => {
    const { id, settle } = await running();
    await settle({ status: 'scheduled', error }).expect(200);
    expect((await settle({ status: 'scheduled', error }).expect(200)).body.status).toBe('scheduled');
    const { dueAt, errors } = await read(id);
    const untilMs = Date.parse(dueAt) - Date.now();
    expect(untilMs).toBeLessThanOrEqual(60_000);
    expect(errors).toEqual([expect.objectContaining({ ...error, attempt: 1 })]);
    await settle({ status: 'scheduled', error: { ...error, message: 'another' } }).expect(409);

    const last = await running();
    await last.takenOver();
    expect((await last.settle({ status: 'scheduled', error }, 2).expect(200)).body.status).toBe('failed');
    await last.settle({ status: 'scheduled', error }, 2).expect(200);
    expect((await read(last.id)).error).toMatchObject({ ...error, attempt: 2 });
  });

  it('tries again when the worker says', async () => {
    const { id, settle } = await running();
    await settle({ status: 'scheduled', error, delayMs: 3_600_000 }).expect(200);
    expect(Date.parse((await read(id)).dueAt) - Date.now()).toBeGreaterThan(3_500_000);
  });

  it('uses no attempt up where it is not now, or given back', async () => {
    const [snoozed, back] = [await running(), await running()];
    await snoozed.settle({ status: 'scheduled', delayMs: 3_600_000 }).expect(200);
    expect(await read(snoozed.id)).toMatchObject({ status: 'scheduled', attempt: 1, maxAttempts: 3, errors: [] });
    for (const time of [1, 2]) {
      const { body } = await back.settle({ status: 'queued' }).expect(200);
      expect([time, body.status]).toEqual([time, 'queued']);
    }
    expect(await read(back.id)).toMatchObject({ attempt: 1, maxAttempts: 3 });
  });

  it('counts nothing but success once the job is to be cancelled', async () => {
    const { id, settle } = await running();
    await request(app).post(`/v1/jobs/${id}/cancel`).expect(202);
    for (const status of ['cancelled', 'queued']) {
      expect((await settle({ status }).expect(200)).body.status).toBe('cancelled');
    }
    await settle({ status: 'succeeded', result: slept }).expect(409);
  });

  it('is fenced for an attempt that was lost, and for a job that is not there', async () => {
    const { settle, takenOver } = await running();
    await takenOver();
    await settle({ status: 'succeeded', result: slept }).expect(409);
    await settle({ status: 'succeeded', result: slept }, 2).expect(200);
    const unknown = `/v1/jobs/${randomUUID()}/attempts/1`;
    for (const outcome of [{ status: 'queued' }, { status: 'scheduled', error }]) {
      const { body } = await request(app).put(`${unknown}/outcome`).send(outcome).expect(409);
      expect(body.type).toBe('/problems/fenced');
    }
  });

  it('is a 503 until the broker has confirmed the event, and then the same', async () => {
    const { settle, id } = await running();
    const announceSurely = () => Promise.reject(new BrokerUnavailableError('the broker is away'));
    const dispatcher: Dispatcher = { ...api.parts.dispatcher, announceSurely };
    const outcome = { status: 'succeeded', result: slept };
    const away = await request(api.app({ dispatcher }))
      .put(`/v1/jobs/${id}/attempts/1/outcome`)
      .send(outcome)
      .expect(503);
    expect([away.body.type, away.headers['retry-after']]).toEqual(['/problems/broker-unavailable', '1']);
    await settle(outcome).expect(200);
  });

  it.each([
    ['no status', {}, ['/status']],
    ['neither error nor time', { status: 'scheduled' }, ['/delayMs']],
    ['no error', { status: 'failed' }, ['/error']],
    ['a code that is none', { status: 'failed', error: { code: 'No Code', message: '' } }, ['/error/code']],
    ['another member', { status: 'queued', result: 1 }, ['/result']],
  ])('names what is wrong: %s', async (_what, outcome, pointers) => {
    const { settle } = await running();
    const { body } = await settle(outcome).expect(400);
    expect(body.errors.map(({ pointer }: { pointer: string }) => pointer)).toEqual(pointers);
  });
});

describe('PUT /v1/workers/{instance}/holdings', () => {
  const hold = (list: unknown, instance = 'python-1') =>
    request(app)
      .put(`/v1/workers/${instance}/holdings`)
      .send(list as object);

  it('keeps jobs from being taken for lost', async () => {
    const [held, lost] = [await running(), await running()];
    const released: string[] = [];
    await eventually(async () => {
      await hold([{ jobId: held.id, attempt: 1 }]).expect(200, { cancel: [], drain: false });
      released.push(...(await api.database.jobs.releaseUnheld(500, 1_000)).map(({ id }) => id));
      expect(released).toContain(lost.id);
    });
    expect(released).not.toContain(held.id);
  });

  it('says what to stop: what is to be cancelled, and what another attempt has', async () => {
    const [kept, cancelled, lost] = [await running(), await running(), await running()];
    await request(app).post(`/v1/jobs/${cancelled.id}/cancel`).expect(202);
    await lost.takenOver();
    const unclaimed = { jobId: await submitted(), attempt: null };
    const list = [...[kept, cancelled, lost].map(({ id: jobId }) => ({ jobId, attempt: 1 })), unclaimed];
    const { body } = await hold(list).expect(200);
    expect(body.cancel.sort()).toEqual([cancelled.id, lost.id].sort());
  });

  it('takes an empty list, and no other than a list', async () => {
    await hold([]).expect(200, { cancel: [], drain: false });
    await hold({}).expect(400);
  });
});
