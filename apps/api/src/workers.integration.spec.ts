import { beforeAll, describe, expect, it } from '@jest/globals';
import { control, exchanges } from '@offload/job-messages';
import { subscribe } from '@offload/messaging';
import { eventually } from '@offload/spec-kit';
import request from 'supertest';
import { useApi } from './spec-api.ts';

const api = useApi();
let app: ReturnType<typeof api.app>;
beforeAll(() => void (app = api.app()));

describe('/v1/workers/{instance}', () => {
  const worker = { version: '1.0.0', queues: ['mail'], slots: 4, types: { 'text.count': 1 } };

  it('is listed from its beginning to its end', async () => {
    const { body } = await request(app).put('/v1/workers/python%201').send(worker).expect(200);
    expect(body).toMatchObject({ ...worker, instance: 'python 1', running: 0, draining: false });
    const { body: all } = await request(app).get('/v1/workers').expect(200);
    expect(all.workers).toContainEqual(body);
    await request(app).delete('/v1/workers/python%201').expect(204);
    await request(app).post('/v1/workers/python%201/drain').expect(404);
  });

  it('may run a thousand types, and no more', async () => {
    const types = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`text.count${index}`, 1]));
    await request(app)
      .put('/v1/workers/many')
      .send({ ...worker, types: types(1_000) })
      .expect(200);
    const { body } = await request(app)
      .put('/v1/workers/many')
      .send({ ...worker, types: types(1_001) })
      .expect(400);
    expect(body.errors).toEqual([{ pointer: '/types', detail: 'must have at most 1000 members' }]);
  });

  it('is drained: told over the broker, and with its next holdings', async () => {
    const told: unknown[] = [];
    let listens = false;
    subscribe(api.broker, {
      exchange: exchanges.control,
      message: control,
      handle: ({ body }) => void told.push(body),
      onListening: () => (listens = true),
    });
    await eventually(() => expect(listens).toBe(true));
    await request(app).put('/v1/workers/leaving').send(worker).expect(200);
    const { body } = await request(app).post('/v1/workers/leaving/drain').expect(202);
    expect(body).toMatchObject({ instance: 'leaving', draining: true });
    await eventually(() => expect(told).toEqual([{ command: 'drain', instance: 'leaving' }]));
    await request(app).put('/v1/workers/leaving/holdings').send([]).expect(200, { cancel: [], drain: true });
  });
});
