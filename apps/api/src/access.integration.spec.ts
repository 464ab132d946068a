import { beforeAll, expect, it } from '@jest/globals';
import { serviceVariables } from '@offload/access';
import { newApiKey, type Scope, scopes } from '@offload/access/secrets';
import request from 'supertest';
import type { Operation } from './openapi/operation.ts';
import { operations } from './openapi/operations.ts';
import { useApi } from './spec-api.ts';

const keys = Object.fromEntries(scopes.map((scope) => [scope, newApiKey(scope, [scope])])) as Record<
  Scope,
  ReturnType<typeof newApiKey>
>;
const entries = Object.values(keys).map(({ entry }) => entry);
const api = useApi({ keys: serviceVariables.API_KEYS.parse(entries.join(',')) });
let app: ReturnType<typeof api.app>;
beforeAll(() => void (app = api.app()));

const call = (method: Operation['method'], path: string) =>
  request(app)[method](path.replace('{id}', '01890000-0000-7000-8000-000000000000').replace('{file}', 'page.js'));

it.each(operations.map(({ method, path, scope }) => [method, path, scope] as const))(
  'lets only those %s %s who have the scope %s',
  async (method, path, scope) => {
    if (!scope) {
      const { status } = await call(method, path.replace('{slug}', 'unauthorized'));
      return expect(status).toBe(200);
    }
    const without = await call(method, path).expect(401);
    expect(without.headers['www-authenticate']).toBe('Bearer realm="offload"');
    for (const [name, { key }] of Object.entries(keys)) {
      const { status, body } = await call(method, path).set('Authorization', `Bearer ${key}`);
      if (name === scope) expect([200, 204, 404, 415]).toContain(status);
      else expect([status, body.type]).toEqual([403, '/problems/insufficient-scope']);
    }
  },
);

it('counts the requests of each client by itself', async () => {
  const limited = api.app({ rateLimit: 2 });
  const get = (scope: Scope) => request(limited).get('/v1/job-types').set('Authorization', `Bearer ${keys[scope].key}`);
  await get('read').expect(200);
  await get('read').expect(200);
  const refused = await get('read').expect(429);
  expect(refused.body.type).toBe('/problems/rate-limited');
  expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
  await get('manage').expect(403); // not 429
  await request(limited).get('/healthz').expect(200);
});
