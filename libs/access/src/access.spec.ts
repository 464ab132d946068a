import { expect, it } from '@jest/globals';
import { serve } from '@offload/http/spec-service';
import { authenticate, clientOf, requireScope } from './access.ts';
import { apiKeys, newApiKey, scopes } from './api-keys.ts';

const reader = newApiKey('reader', ['read']);
const operator = newApiKey('operator', scopes);

async function setup(entries: string[] = [reader.entry, operator.entry]) {
  const keys = entries.length === 0 ? [] : apiKeys.parse(entries.join());
  const service = await serve((app) => {
    app.get('/forgotten', requireScope('read'), (_request, response) => void response.end());
    app.use('/v1', authenticate(keys));
    app.get('/v1/jobs', requireScope('read'), (_request, response) => {
      const { name, scopes } = clientOf(response);
      response.json({ name, scopes: [...scopes] });
    });
    app.delete('/v1/jobs', requireScope('manage'), (_request, response) => void response.status(204).end());
  });
  const call = async (authorization?: string, method = 'GET') => {
    const headers: Record<string, string> = authorization === undefined ? {} : { Authorization: authorization };
    const response = await fetch(`${service.base}/v1/jobs`, { method, headers });
    const text = await response.text();
    return {
      status: response.status,
      challenge: response.headers.get('www-authenticate'),
      json: text === '' ? null : JSON.parse(text),
      text,
    };
  };
  return { ...service, call };
}

it.each(['Bearer', 'bearer', 'BEARER', 'Bearer  '])('knows the client by its key, sent as %s', async (scheme) => {
  const { call } = await setup();
  expect(await call(`${scheme} ${reader.key}`)).toMatchObject({
    status: 200,
    json: { name: 'reader', scopes: ['read'] },
  });
  expect((await call(`${scheme} ${operator.key}`)).json).toEqual({ name: 'operator', scopes });
});

it.each([undefined, 'Bearer', 'Basic cmVhZGVyOng=', 'Bearerx', reader.key])('asks for a key: %s', async (header) => {
  const { call } = await setup();
  const { status, challenge, json } = await call(header);
  expect([status, challenge, json.type]).toEqual([401, 'Bearer realm="offload"', '/problems/unauthorized']);
});

it.each([
  ['another key', `Bearer ${newApiKey('reader', ['read']).key}`],
  ['the hash', `Bearer ${reader.entry.split(':')[2]}`],
  ['a part of the key', `Bearer ${reader.key.slice(0, -1)}`],
  ['the key and more', `Bearer ${reader.key} x`],
  ['two keys', `Bearer ${reader.key}, Bearer ${reader.key}`],
  ['what is no token', 'Bearer "q"'],
])('refuses %s as a key, and does not repeat it', async (_what, header) => {
  const { call } = await setup();
  const { status, challenge, json, text } = await call(header);
  expect([status, challenge, json.type]).toEqual([
    401,
    'Bearer realm="offload", error="invalid_token"',
    '/problems/unauthorized',
  ]);
  expect(text).not.toContain(reader.key.slice(0, 20));
});

it('refuses a key that lacks the scope', async () => {
  const { call } = await setup();
  expect(await call(`Bearer ${reader.key}`, 'DELETE')).toMatchObject({
    status: 403,
    challenge: 'Bearer realm="offload", error="insufficient_scope", scope="manage"',
    json: { type: '/problems/insufficient-scope' },
  });
  expect((await call(`Bearer ${operator.key}`, 'DELETE')).status).toBe(204);
});

it('lets everybody do everything without keys, whatever is sent along', async () => {
  const { call } = await setup([]);
  for (const header of [undefined, 'Bearer', 'Basic x', `Bearer ${reader.key}`]) {
    expect((await call(header)).json).toEqual({ name: 'anonymous', scopes });
  }
  expect((await call(undefined, 'DELETE')).status).toBe(204);
});

it('answers 500 where a route asks for a scope and not for a key', async () => {
  const { base, logged } = await setup([]);
  expect((await fetch(`${base}/forgotten`)).status).toBe(500);
  expect(logged).toHaveLength(1);
});
