import { expect, it } from '@jest/globals';
import { allowOrigins, corsOrigins, methodNotAllowed, Problem } from '@offload/http';
import { jsonBody } from '@offload/http/bodies';
import { connectRaw, serve } from '@offload/http/spec-service';
import { parseAnswer } from '@offload/spec-kit';
import { authenticate } from './access.ts';
import { apiKeys, newApiKey } from './api-keys.ts';
import { limitRate } from './rate-limit.ts';

const page = 'https://app.example';
const key = newApiKey('web', ['read']);

async function setup(origins: readonly string[] | undefined, requestTimeoutMs?: number) {
  const service = await serve(
    (app) => {
      app.use('/v1', authenticate(apiKeys.parse(key.entry)), limitRate({ perMinute: 2 }));
      app
        .route('/v1/jobs')
        .get((_request, response) => void response.vary('Prefer').json([]))
        .all(methodNotAllowed('GET, HEAD'));
      app.post('/bodies', jsonBody(), (_request, response) => void response.end());
      app.get('/away', () => {
        throw new Problem(503, 'database-unavailable', 'Try again soon', 'It is away', {
          headers: { 'Retry-After': '1' },
        });
      });
    },
    origins && { corsOrigins: origins },
    requestTimeoutMs,
  );
  async function ask(path: string, headers: Record<string, string> = {}, method = 'GET') {
    const response = await fetch(service.base + path, { method, headers });
    const text = await response.text();
    const cors = [...response.headers].filter(([name]) => name.startsWith('access-control-'));
    return {
      status: response.status,
      vary: response.headers.get('vary'),
      cors: Object.fromEntries(cors),
      text,
      response,
    };
  }
  const preflight = (path: string, origin = page) =>
    ask(path, { Origin: origin, 'Access-Control-Request-Method': 'POST' }, 'OPTIONS');
  return { ...service, ask, preflight };
}

it('sends no CORS headers when no origins are configured', async () => {
  const { ask, preflight } = await setup(undefined);
  for (const { cors, vary } of [await ask('/healthz', { Origin: page }), await preflight('/healthz')]) {
    expect([cors, vary]).toEqual([{}, null]);
  }
  expect((await preflight('/v1/jobs')).status).toBe(401);
});

it('lets pages of an allowed origin read answers, also problems', async () => {
  const { ask } = await setup([page, 'http://localhost:5173']);
  const withKey = { Origin: page, Authorization: `Bearer ${key.key}` };
  const answers = [
    await ask('/healthz', { Origin: page }),
    await ask('/nowhere', { Origin: page }),
    await ask('/away', { Origin: page }),
    await ask('/v1/jobs', { Origin: page }),
    await ask('/v1/jobs', withKey),
    await ask('/v1/jobs', withKey, 'PUT'),
    await ask('/v1/jobs', withKey),
  ];
  expect(answers.map(({ status }) => status)).toEqual([200, 404, 503, 401, 200, 405, 429]);
  for (const { cors, vary } of answers) {
    expect(cors).toMatchObject({
      'access-control-allow-origin': page,
      'access-control-expose-headers': expect.stringMatching(/\bETag,.*\bRetry-After,.*\bX-Request-Id\b/),
    });
    expect(cors).not.toHaveProperty('access-control-allow-credentials');
    expect(vary).toMatch(/^Origin(, Prefer)?$/);
  }
  expect((await ask('/healthz', { Origin: 'http://localhost:5173' })).cors).toHaveProperty(
    'access-control-allow-origin',
    'http://localhost:5173',
  );
});

it.each([
  ...['https://app.example:8443', 'http://app.example', 'https://app.example.', 'https://app.example.evil.test'],
  ...['https://evil.test/https://app.example', 'null', 'https://APP.example', `${page}, ${page}`, '*', ''],
])('serves %s as if it were no browser', async (origin) => {
  const { ask, preflight } = await setup([page]);
  const { status, cors, vary } = await ask('/healthz', { Origin: origin });
  expect([status, cors, vary]).toEqual([200, {}, 'Origin']);
  const refused = await preflight('/healthz', origin);
  expect([refused.status, refused.cors, refused.response.headers.get('allow')]).toEqual([
    204,
    {},
    'GET, HEAD, OPTIONS',
  ]);
});

it('tells caches that the answer depends on the origin, also for requests without one', async () => {
  const { ask } = await setup([page]);
  expect(await ask('/healthz')).toMatchObject({ status: 200, cors: {}, vary: 'Origin' });
});

it('lets every page read with *, and says so in every answer', async () => {
  const { ask, preflight } = await setup(['*']);
  for (const answer of [
    await ask('/healthz'),
    await ask('/healthz', { Origin: 'null' }),
    await preflight('/v1/jobs'),
  ]) {
    expect([answer.cors['access-control-allow-origin'], answer.vary]).toEqual(['*', null]);
  }
});

it('answers preflights without a key, and does not count them', async () => {
  const { ask, preflight } = await setup([page]);
  for (let count = 0; count < 5; count += 1) {
    const { status, cors, text, response } = await preflight('/v1/jobs');
    expect([status, text]).toEqual([204, '']);
    expect(cors).toMatchObject({
      'access-control-allow-origin': page,
      'access-control-allow-methods': 'GET,HEAD,POST,DELETE,OPTIONS',
      'access-control-max-age': '7200',
    });
    const allowed = cors['access-control-allow-headers']?.toLowerCase().split(',');
    expect(allowed).toEqual(expect.arrayContaining(['authorization', 'content-type', 'idempotency-key', 'prefer']));
    expect(response.headers.get('ratelimit')).toBeNull();
  }
  const { status, response } = await ask('/v1/jobs', { Authorization: `Bearer ${key.key}` });
  expect([status, response.headers.get('ratelimit')]).toEqual([200, expect.stringMatching(/; *r=1(;|$)/)]);
});

it('answers OPTIONS that is no preflight as an ordinary request', async () => {
  const { ask } = await setup([page]);
  const { status, response } = await ask('/healthz', { Origin: page }, 'OPTIONS');
  expect([status, response.headers.get('allow')]).toEqual([204, 'GET, HEAD, OPTIONS']);
  expect((await ask('/v1/jobs', { Origin: page }, 'OPTIONS')).status).toBe(401);
  expect((await ask('/healthz', { 'Access-Control-Request-Method': 'GET' }, 'OPTIONS')).status).toBe(204);
});

it('lets the page read the 408 for a slow body', async () => {
  const { port } = await setup([page], 200);
  const client = await connectRaw(port);
  const head = ['POST /bodies HTTP/1.1', 'Host: x', `Origin: ${page}`, 'Content-Type: application/json'];
  client.send([...head, 'Content-Length: 100', '', '{'].join('\r\n'));
  const { status, headers } = parseAnswer(await client.closed);
  expect([status, headers.get('access-control-allow-origin'), headers.get('vary')]).toEqual([408, page, 'Origin']);
  expect(headers.get('access-control-expose-headers')).toMatch(/Retry-After/);
});

it.each([
  ['https://app.example', ['https://app.example']],
  [' http://localhost:5173 ,https://a.example,https://a.example', ['http://localhost:5173', 'https://a.example']],
  ['http://[::1]:3000,http://127.0.0.1', ['http://[::1]:3000', 'http://127.0.0.1']],
  ['capacitor://localhost', ['capacitor://localhost']],
  ['*', ['*']],
])('reads the origins %s', (text, origins) => {
  expect(corsOrigins.parse(text)).toEqual(origins);
});

it.each([
  ['https://app.example/', 'is not an origin'],
  ['https://app.example/path', 'is not an origin'],
  ['app.example', 'is not an origin'],
  ['null', 'is not an origin'],
  ['https://user@app.example', 'is not an origin'],
  ['https://*.example', 'is not an origin'],
  ['https://app.example,', 'is not an origin'],
  ['https://app.example:99999', 'is not an origin'],
  ['https://app.example:443', 'is sent by browsers as https://app.example'],
  ['HTTPS://App.example', 'is sent by browsers as https://app.example'],
  ['https://ä.example', 'is sent by browsers as https://xn--4ca.example'],
  ['*,https://app.example', 'must stand alone'],
])('refuses %s as an origin: it %s', (text, fault) => {
  expect(corsOrigins.safeParse(text).error?.issues.map(({ message }) => message)).toEqual([
    expect.stringContaining(fault),
  ]);
});

it('passes every request on without origins', () => {
  let passed = false;
  allowOrigins([])(...([{}, {}, () => (passed = true)] as unknown as Parameters<ReturnType<typeof allowOrigins>>));
  expect(passed).toBe(true);
});
