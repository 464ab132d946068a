import { randomUUID } from 'node:crypto';
import { beforeAll, expect, it } from '@jest/globals';
import { createEventTokens, serviceVariables } from '@offload/access';
import { newApiKey } from '@offload/access/secrets';
import request from 'supertest';
import { headers } from './openapi/headers.ts';
import { operations } from './openapi/operations.ts';
import { useApi } from './spec-api.ts';

const secret = 'a-secret-of-the-api-and-its-notifiers';
const [web, submitter] = [newApiKey('web', ['read']), newApiKey('submitter', ['submit'])];
const page = 'https://app.example';

const api = useApi({ keys: serviceVariables.API_KEYS.parse(`${web.entry},${submitter.entry}`) });
let app: ReturnType<typeof api.app>;
beforeAll(() => void (app = api.app({ eventTokenSecrets: [secret], corsOrigins: [page] })));

const post = (body: unknown, { of = app, key = web.key } = {}) =>
  request(of)
    .post('/v1/event-tokens')
    .set('Authorization', `Bearer ${key}`)
    .send(body as object);
const secondsLeft = (expiresAt: string): number => (Date.parse(expiresAt) - Date.now()) / 1_000;

it('makes a token for the client that asks, and the URL to use it with', async () => {
  const { body, headers: given } = await post({}).expect(200);
  expect(given['cache-control']).toBe('no-store');
  expect(body.events).toBe(`http://notifier.test/v1/events?token=${body.token}`);
  expect(await createEventTokens([secret]).read(body.token)).toEqual({ client: 'web', jobId: undefined });
  expect(secondsLeft(body.expiresAt)).toBeGreaterThan(590);
  expect(secondsLeft(body.expiresAt)).toBeLessThan(601);
});

it('issues a token for one job, which need not exist, and for the requested time', async () => {
  const jobId = randomUUID();
  const { body } = await post({ jobId: jobId.toUpperCase(), seconds: 3_600 }).expect(200);
  expect(body.events).toBe(`http://notifier.test/v1/jobs/${jobId}/events?token=${body.token}`);
  expect(await createEventTokens([secret]).read(body.token)).toEqual({ client: 'web', jobId });
  expect(secondsLeft(body.expiresAt)).toBeGreaterThan(3_590);
});

it.each([
  [{ seconds: 0 }, '/seconds'],
  [{ seconds: 3_601 }, '/seconds'],
  [{ seconds: 1.5 }, '/seconds'],
  [{ seconds: '60' }, '/seconds'],
  [{ seconds: null }, '/seconds'],
  [{ jobId: 'seven' }, '/jobId'],
  [{ jobId: null }, '/jobId'],
  [{ scope: 'manage' }, '/scope'],
  [[], ''],
])('refuses %j', async (wrong, pointer) => {
  const { body } = await post(wrong).expect(400);
  expect(body.errors).toEqual([expect.objectContaining({ pointer })]);
});

it('asks for a body, as every call that takes one', async () => {
  await request(app).post('/v1/event-tokens').set('Authorization', `Bearer ${web.key}`).expect(415);
});

it('issues no token to a client that may not read, or that sends a token instead of a key', async () => {
  await post({}, { key: submitter.key }).expect(403);
  const { body } = await post({}).expect(200);
  await post({}, { key: body.token }).expect(401);
  const { body: refusal } = await request(app).post(`/v1/event-tokens?token=${body.token}`).send({}).expect(401);
  expect(refusal.instance).toBe('/v1/event-tokens');
});

it('names the missing setting when there are keys and no secret', async () => {
  const { body } = await post({}, { of: api.app() }).expect(404);
  expect(body).toMatchObject({
    type: '/problems/no-event-tokens',
    detail: expect.stringContaining('EVENT_TOKEN_SECRET'),
  });
});

it('issues a token without API keys too, so that a page need not know about keys', async () => {
  for (const eventTokenSecrets of [[], [secret]]) {
    const { body } = await request(api.app({ keys: [], eventTokenSecrets }))
      .post('/v1/event-tokens')
      .send({})
      .expect(200);
    expect(body.events).toContain(body.token);
    // With API keys the token is not valid any more: no key has that name.
    if (eventTokenSecrets.length > 0) {
      expect(await createEventTokens([secret]).read(body.token)).toMatchObject({ client: 'anonymous' });
    }
  }
});

it('lets pages send and read every header field of the contract', async () => {
  const preflight = await request(app)
    .options('/v1/jobs')
    .set({ Origin: page, 'Access-Control-Request-Method': 'POST' })
    .expect(204);
  const sent = preflight.headers['access-control-allow-headers']?.split(',');
  const taken = operations.flatMap(({ takes = [] }) => takes);
  expect(sent).toEqual(expect.arrayContaining([...taken, 'Authorization', 'Content-Type', 'If-Match', 'X-Request-Id']));
  const refused = await request(app).get('/v1/jobs').set({ Origin: page }).expect(401);
  expect(refused.headers['access-control-allow-origin']).toBe(page);
  expect(refused.headers['access-control-expose-headers']?.split(',').sort()).toEqual(Object.keys(headers).sort());
});
