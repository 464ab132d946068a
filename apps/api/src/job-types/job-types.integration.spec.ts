import { beforeAll, describe, expect, it } from '@jest/globals';
import { jobRegistration, type JobRegistration } from '@offload/jobs/definitions';
import request from 'supertest';
import { useApi } from '../spec-api.ts';

const api = useApi();
let app: ReturnType<typeof api.app>;
beforeAll(() => void (app = api.app()));

const payloadSchema = {
  type: 'object',
  properties: { width: { type: 'integer', minimum: 1, default: 640 } },
  additionalProperties: false,
};
let made = 0;
const newName = () => `image.resize-${(made += 1)}`;
const typeOf = (more: object): JobRegistration => jobRegistration.parse({ payloadSchema, type: newName(), ...more });

const workerOf = (instance: string, { type, version }: JobRegistration) => ({
  ...{ instance, version: '1.2.3', queues: ['default'], slots: 10, draining: false },
  types: { [type]: version },
});

const put = (type: string, body: object) => request(app).put(`/v1/job-types/${type}`).send(body);
const post = (type: string, payload: unknown) => request(app).post('/v1/jobs').send({ type, payload });
const versionOf = async (id: string) => {
  const claim = await api.claim(id);
  return claim.kind === 'claimed' ? claim.typeVersion : claim.kind;
};

describe('a registered type', () => {
  it('is known to an api that received no registration, with its defaults and its policy', async () => {
    const type = typeOf({ queue: 'mail', maxAttempts: 2 });
    await api.database.jobTypes.register([type], workerOf('quiet', type));
    const { body } = await post(type.type, {}).expect(202);
    expect(body).toMatchObject({ type: type.type, queue: 'mail', maxAttempts: 2, payload: { width: 640 } });
    expect(await versionOf(body.id)).toBe(1);
  });

  it('is known in a batch too', async () => {
    const { type } = typeOf({});
    await api.database.jobTypes.register([typeOf({ type })], null);
    const jobs = [{ type, payload: { width: 0 } }];
    const { body } = await request(app).post('/v1/jobs/batch').send({ jobs }).expect(400);
    expect(body.errors).toEqual([{ pointer: '/jobs/0/payload/width', detail: 'must be >= 1' }]);
  });

  it('accepts payloads of older versions if its newest version upgrades them', async () => {
    const type = typeOf({});
    const wider = { ...payloadSchema, properties: { size: { type: 'integer' } }, required: ['size'] };
    const next = typeOf({ type: type.type, version: 2, payloadSchema: wider, upgrades: true });
    await api.database.jobTypes.register([type, next], workerOf('newest', next));
    const [newer, older] = [await post(type.type, { size: 1 }).expect(202), await post(type.type, {}).expect(202)];
    expect([await versionOf(newer.body.id), await versionOf(older.body.id)]).toEqual([2, 1]);
    const { body } = await post(type.type, { colour: 1 }).expect(400);
    expect(body.errors.map(({ pointer }: { pointer: string }) => pointer).sort()).toEqual([
      '/payload/colour',
      '/payload/size',
    ]);
  });

  it('has the version that workers run, after the newest was withdrawn', async () => {
    const type = typeOf({});
    const next = typeOf({ type: type.type, version: 2, payloadSchema: { type: 'array' } });
    await api.database.jobTypes.register([type, next], workerOf('back', type));
    await post(type.type, []).expect(400);
    await post(type.type, { width: 1 }).expect(202);
    const { body } = await request(app).get(`/v1/job-types/${type.type}`).expect(200);
    expect(body).toMatchObject({ version: 1, workers: ['back'], versions: [{ version: 2 }, { version: 1 }] });
  });
});

describe('GET /v1/job-types/{type}', () => {
  it('shows the type with its versions and workers', async () => {
    const { body } = await request(app).get('/v1/job-types/demo.sleep').expect(200);
    expect(body).toMatchObject({ type: 'demo.sleep', version: 1, queue: 'default', workers: [], maxAttempts: 5 });
    expect(body.versions).toHaveLength(1);
    const { body: all } = await request(app).get('/v1/job-types').expect(200);
    expect(all.jobTypes).toContainEqual(body);
  });

  it.each(['nope', '__proto__', '%00'])('knows no %s', async (type) => {
    const { body } = await request(app).get(`/v1/job-types/${type}`).expect(404);
    expect(body.type).toBe('/problems/job-type-not-found');
  });
});

describe('PUT /v1/job-types/{type}', () => {
  it('registers a type whose jobs the api accepts from then on, and changes nothing when repeated', async () => {
    const type = newName();
    const first = await put(type, { payloadSchema, description: 'Scales' }).expect(201);
    expect(first.body).toMatchObject({ type, version: 1, description: 'Scales', queue: 'default', workers: [] });
    await put(type, { payloadSchema, timeoutMs: 5 }).expect(200);
    expect((await request(app).get(`/v1/job-types/${type}`)).body).toMatchObject({ timeoutMs: 5 });
    await post(type, { width: 1 }).expect(202);
  });

  it('names the differences from the schema of the same version', async () => {
    const type = newName();
    await put(type, { payloadSchema }).expect(201);
    const other = { ...payloadSchema, additionalProperties: true };
    const { body } = await put(type, { payloadSchema: other }).expect(409);
    expect(body).toMatchObject({
      type: '/problems/schema-conflict',
      errors: [{ pointer: '/payloadSchema/additionalProperties', detail: 'is true, and false where it is registered' }],
    });
    await put(type, { payloadSchema: other, version: 2 }).expect(201);
  });

  it('replaces the schema of the same version where the api is told to', async () => {
    const type = newName();
    await put(type, { payloadSchema }).expect(201);
    const replacing = api.app({ replaceSchemas: true });
    const other = { type: 'array' };
    await request(replacing).put(`/v1/job-types/${type}`).send({ payloadSchema: other }).expect(200);
    expect((await request(app).get(`/v1/job-types/${type}`)).body).toMatchObject({ version: 1, payloadSchema: other });
    await put(type, { payloadSchema }).expect(409);
  });

  it.each<[what: string, body: object, pointers: string[]]>([
    ['no schema', {}, ['/payloadSchema']],
    ['what is no schema', { payloadSchema: { type: 'picture' } }, ['/payloadSchema']],
    ['an unknown member', { payloadSchema, colour: 1 }, ['/colour']],
    ['a version that is none', { payloadSchema, version: 0 }, ['/version']],
    ['a queue that is none', { payloadSchema, queue: 'dead' }, ['/queue']],
  ])('refuses %s', async (_what, body, pointers) => {
    const answer = await put(newName(), body).expect(400);
    expect(answer.body.errors.map(({ pointer }: { pointer: string }) => pointer)).toEqual(pointers);
  });

  it.each(['resize', 'Image.resize', 'image.spec', '%00'])('refuses the name %s', async (name) => {
    const { body } = await put(name, { payloadSchema }).expect(400);
    expect(body).toMatchObject({ type: '/problems/invalid-request', errors: [{ parameter: 'type' }] });
  });
});

describe('DELETE /v1/job-types/{type}', () => {
  it('removes a type that is not in use', async () => {
    const type = newName();
    await put(type, { payloadSchema }).expect(201);
    const { body: job } = await post(type, {}).expect(202);
    const inUse = await request(app).delete(`/v1/job-types/${type}`).expect(409);
    expect(inUse.body.type).toBe('/problems/job-type-in-use');
    await request(app).post(`/v1/jobs/${job.id}/cancel`).expect(200);
    await request(app).delete(`/v1/job-types/${type}`).expect(204);
    for (const unknown of [type, '%00']) await request(app).delete(`/v1/job-types/${unknown}`).expect(404);
  });
});

it('GET /v1/workers shows the workers and what they do', async () => {
  const type = typeOf({});
  await api.database.jobTypes.register([type], workerOf('shown', type));
  const { body } = await request(app).get('/v1/workers').expect(200);
  expect(body.workers).toContainEqual(
    expect.objectContaining({ ...workerOf('shown', type), running: 0, lastHeardAt: expect.any(String) }),
  );
});
