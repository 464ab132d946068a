import { expect, it } from '@jest/globals';
import { connectRaw, serve } from '@offload/http/spec-service';
import { parseAnswer } from '@offload/spec-kit';
import type { RequestHandler } from 'express';
import { authenticate, clientOf, requireScope } from './access.ts';
import { apiKeys, newApiKey } from './api-keys.ts';
import { authenticateWatcher } from './authenticate-watcher.ts';
import { createEventTokens } from './event-tokens.ts';

const web = newApiKey('web', ['read', 'submit']);
const submitter = newApiKey('submitter', ['submit']);
const tokens = createEventTokens(['s'.repeat(32)]);
const jobId = '01890000-0000-7000-8000-00000000000a';
const other = '01890000-0000-7000-8000-00000000000b';

async function setup({ entries = [web.entry, submitter.entry], known = true, requestTimeoutMs = 30_000 } = {}) {
  const keys = entries.length === 0 ? [] : apiKeys.parse(entries.join());
  const mayWatch = [authenticateWatcher(keys, known ? tokens : null), requireScope('read')];
  const service = await serve(
    (app) => {
      app.get(['/v1/jobs/:id/events', '/v1/events'], mayWatch, show);
      app.use('/v1', authenticate(keys));
      app.get('/v1/jobs', (_request, response) => void response.json(clientOf(response).name));
    },
    {},
    requestTimeoutMs,
  );
  async function get(target: string, headers: Record<string, string> = {}) {
    const response = await fetch(service.base + target, { headers });
    const text = await response.text();
    const challenge = response.headers.get('www-authenticate');
    return { status: response.status, challenge, text, json: JSON.parse(text), response };
  }
  const tokenOf = async (grant: Parameters<typeof tokens.issue>[0], seconds = 60) =>
    (await tokens.issue(grant, seconds)).token;
  return { ...service, get, tokenOf };
}

const show: RequestHandler = (request, response) => {
  const { name, scopes } = clientOf(response);
  response.json({ name, scopes: [...scopes], query: request.query, url: request.url });
};

it('knows the client by its event token, which may read and nothing else', async () => {
  const { get, tokenOf } = await setup();
  const token = await tokenOf({ client: 'web' });
  for (const path of ['/v1/events', `/v1/jobs/${jobId}/events`]) {
    const { status, json } = await get(`${path}?token=${token}`);
    expect([status, json]).toEqual([200, { name: 'web', scopes: ['read'], query: {}, url: path }]);
  }
});

it('shows the token to nothing behind it, and leaves the other parameters', async () => {
  const { get, tokenOf } = await setup();
  const { json } = await get(`/v1/events?tag=a%26b&%74oken=${await tokenOf({ client: 'web' })}&type=c`);
  expect(json).toMatchObject({ query: { tag: 'a&b', type: 'c' }, url: '/v1/events?tag=a%26b&type=c' });
});

it('lets a token for one job watch that job alone', async () => {
  const { get, tokenOf } = await setup();
  const token = await tokenOf({ client: 'web', jobId });
  expect((await get(`/v1/jobs/${jobId}/events?token=${token}`)).status).toBe(200);
  expect((await get(`/v1/jobs/${jobId.toUpperCase()}/events?token=${token}`)).status).toBe(200);
  for (const path of [`/v1/jobs/${other}/events`, '/v1/events', `/v1/events?id=${jobId}`, '/v1/jobs/nope/events']) {
    const { status, json, challenge, text } = await get(`${path}${path.includes('?') ? '&' : '?'}token=${token}`);
    expect([status, json.type, json.instance]).toEqual([403, '/problems/insufficient-scope', path]);
    expect(challenge).toBe('Bearer realm="offload", error="insufficient_scope"');
    expect(text).not.toContain(token);
  }
});

it('says that a token has expired, which is why a page gets another', async () => {
  const { get, tokenOf } = await setup();
  const token = await tokenOf({ client: 'web' }, -60);
  const { status, json, challenge, text } = await get(`/v1/events?token=${token}`);
  expect([status, json.type]).toEqual([401, '/problems/unauthorized']);
  expect(json.detail).toBe('The event token has expired.');
  expect(challenge).toBe(
    'Bearer realm="offload", error="invalid_token", error_description="The event token has expired"',
  );
  expect(text).not.toContain(token);
});

it.each([
  ['that is cut', (token: string) => token.slice(0, -4)],
  ['that is empty', () => ''],
  ['that is an API key', () => web.key],
])('refuses a token %s, and does not repeat it', async (_what, change) => {
  const { get, tokenOf } = await setup();
  const token = change(await tokenOf({ client: 'web' }));
  const { status, json, challenge, text } = await get(`/v1/events?token=${token}&tag=a`);
  expect([status, json.type, json.instance]).toEqual([401, '/problems/unauthorized', '/v1/events?tag=a']);
  expect(challenge).toBe('Bearer realm="offload", error="invalid_token"');
  if (token !== '') expect(text).not.toContain(token);
});

it.each(['gone', 'submitter', 'anonymous', 'constructor'])(
  'refuses the token of %s: no key of that name may read',
  async (client) => {
    const { get, tokenOf } = await setup();
    const { status, challenge } = await get(`/v1/events?token=${await tokenOf({ client })}`);
    expect([status, challenge]).toEqual([401, 'Bearer realm="offload", error="invalid_token"']);
  },
);

it('knows the token of a client whose key was replaced by another', async () => {
  const { get, tokenOf } = await setup({ entries: [newApiKey('web', ['read']).entry] });
  expect((await get(`/v1/events?token=${await tokenOf({ client: 'web' })}`)).json.name).toBe('web');
});

it('takes one way to say who one is, not two, and one token', async () => {
  const { get, tokenOf } = await setup();
  const token = await tokenOf({ client: 'web' });
  const twice = [
    await get(`/v1/events?token=${token}`, { Authorization: `Bearer ${web.key}` }),
    await get(`/v1/events?token=${token}`, { Authorization: 'bearer' }),
    await get(`/v1/events?token=${token}&token=${token}`),
    await get(`/v1/events?token=&tok%65n=${token}`),
  ];
  for (const { status, json, challenge, text } of twice) {
    expect([status, json.type, json.errors[0].parameter]).toEqual([400, '/problems/invalid-request', 'token']);
    expect(challenge).toBe('Bearer realm="offload", error="invalid_request"');
    expect(text).not.toContain(token);
  }
  expect((await get(`/v1/events?token=${token}`, { Authorization: 'Basic YTpi' })).status).toBe(200);
});

it('still takes keys, and asks for one where there is no token', async () => {
  const { get } = await setup();
  expect((await get('/v1/events', { Authorization: `Bearer ${web.key}` })).json.name).toBe('web');
  const { status, challenge } = await get('/v1/events');
  expect([status, challenge]).toEqual([401, 'Bearer realm="offload"']);
});

it('takes a token nowhere else: not as a key, not for another call', async () => {
  const { get, tokenOf } = await setup();
  const token = await tokenOf({ client: 'web' });
  for (const path of ['/v1/events', '/v1/jobs']) {
    const { status, challenge } = await get(path, { Authorization: `Bearer ${token}` });
    expect([status, challenge]).toEqual([401, 'Bearer realm="offload", error="invalid_token"']);
  }
  const { status, challenge, json } = await get(`/v1/jobs?token=${token}&limit=1`);
  expect([status, challenge, json.instance]).toEqual([401, 'Bearer realm="offload"', '/v1/jobs?limit=1']);
});

it.each(['TOKEN=', 'x=1;token=', 'a?token=', '?token=', 'token[]='])(
  'takes what comes as ?%s for no token, and does not repeat it',
  async (near) => {
    const { get, tokenOf } = await setup();
    const token = await tokenOf({ client: 'web' });
    const { status, challenge, text } = await get(`/v1/events?${near}${token}`);
    expect([status, challenge]).toEqual([401, 'Bearer realm="offload"']);
    expect(text).not.toContain(token);
  },
);

it('takes out of the query what it read as the token, and nothing that looks like it', async () => {
  const { get, tokenOf } = await setup();
  const { json } = await get(`/v1/events?tag=a;token=b&TOKEN=c&token=${await tokenOf({ client: 'web' })}`);
  expect(json).toMatchObject({ query: { tag: 'a;token=b', TOKEN: 'c' }, url: '/v1/events?tag=a;token=b&TOKEN=c' });
});

it('knows no token without a secret', async () => {
  const { get, tokenOf } = await setup({ known: false });
  const { status, json, challenge } = await get(`/v1/events?token=${await tokenOf({ client: 'web' })}`);
  expect([status, challenge]).toEqual([401, 'Bearer realm="offload", error="invalid_token"']);
  expect(json.detail).toContain('EVENT_TOKEN_SECRET');
});

it('leaves tokens alone where nobody needs a key, and keeps them to itself', async () => {
  const { get } = await setup({ entries: [], known: false });
  for (const query of ['token=rubbish', 'token=a&token=b']) {
    const { status, json } = await get(`/v1/events?${query}&tag=x`, { Authorization: 'Bearer x' });
    expect([status, json.name, json.query, json.url]).toEqual([200, 'anonymous', { tag: 'x' }, '/v1/events?tag=x']);
  }
});

it('leaves the token out of metrics, logs, and of what is said about a broken request', async () => {
  const { get, tokenOf, metrics, logged, port } = await setup({ requestTimeoutMs: 200 });
  const token = await tokenOf({ client: 'web', jobId });
  await get(`/v1/jobs/${jobId}/events?token=${token}`);
  await get(`/v1/events?token=${token}`);
  expect(await metrics.metrics()).not.toContain(token.slice(0, 20));
  expect(logged).toEqual([]);
  const client = await connectRaw(port);
  client.send(`POST /v1/events?token=${token} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${web.key}\r\n`);
  client.send('Content-Length: 9\r\n\r\n');
  const { status, body } = parseAnswer(await client.closed);
  expect([status, JSON.parse(body).instance]).toEqual([404, '/v1/events']);
  const slow = await connectRaw(port);
  slow.send(`GET /v1/nowhere?token=${token} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n`);
  expect(await slow.closed).not.toContain(token.slice(0, 20));
});
