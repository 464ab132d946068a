import assert from 'node:assert/strict';
import { jsonOf, type Answer } from '../answer.ts';
import { rowsOf, type Row } from '../row.ts';
import type { Scene } from '../scene.ts';
import { keyOf, PAGE } from '../world.ts';

const at = 'guarded';
const by = 'browsing';
const preflight = { Origin: PAGE, 'Access-Control-Request-Method': 'POST' };
const job = '01900000-0000-7000-8000-000000000000';

const cors: Row[] = rowsOf('Fetch', [
  {
    section: 'CORS protocol',
    rule: 'An answer to a page of an allowed origin names that origin, and header fields that the page may read',
    request: { path: '/v1/jobs?limit=1', by, headers: { Origin: PAGE } },
    expect: {
      status: 200,
      headers: {
        'Access-Control-Allow-Origin': PAGE,
        'Access-Control-Expose-Headers': /(^|,)ETag,.*RateLimit,.*X-Request-Id/,
      },
    },
  },
  {
    section: 'CORS protocol',
    rule: 'A page may read why it is refused',
    request: { path: '/v1/jobs', at, headers: { Origin: PAGE } },
    expect: { status: 401, problem: 'unauthorized', headers: { 'Access-Control-Allow-Origin': PAGE } },
  },
  {
    section: 'CORS protocol',
    rule: 'An origin that is not allowed gets no CORS headers',
    request: { path: '/healthz', at, headers: { Origin: `${PAGE}.evil.example` } },
    expect: { status: 200, headers: { 'Access-Control-Allow-Origin': null, 'Access-Control-Expose-Headers': null } },
  },
  {
    section: 'CORS protocol',
    rule: 'Without configured origins, no answer has these header fields',
    request: { path: '/healthz', at: 'open', headers: { Origin: PAGE } },
    expect: { status: 200, headers: { 'Access-Control-Allow-Origin': null, Vary: null } },
  },
  {
    section: 'CORS protocol and HTTP caches',
    rule: 'Vary names Origin in answers to requests without one, too',
    request: { path: '/healthz', at },
    expect: { status: 200, headers: { Vary: 'Origin' } },
  },
  {
    section: 'CORS protocol and credentials',
    rule: 'Credentials such as cookies are not allowed',
    request: { path: '/healthz', at, headers: { Origin: PAGE } },
    expect: { status: 200, headers: { 'Access-Control-Allow-Credentials': null, 'Set-Cookie': null } },
  },
  {
    section: 'CORS-preflight request',
    rule: 'It is answered without a key, with methods, header fields and for how long that holds, and is not counted',
    request: { method: 'OPTIONS', path: '/v1/jobs', at, headers: preflight },
    expect: {
      status: 204,
      headers: {
        'Access-Control-Allow-Origin': PAGE,
        'Access-Control-Allow-Methods': 'GET,HEAD,POST,DELETE,OPTIONS',
        'Access-Control-Allow-Headers': /^Authorization,.*Content-Type,.*Idempotency-Key,.*Prefer/,
        'Access-Control-Max-Age': '7200',
        RateLimit: null,
      },
    },
  },
  {
    section: 'CORS-preflight request',
    rule: 'OPTIONS without Access-Control-Request-Method is not a preflight',
    request: { method: 'OPTIONS', path: '/v1/jobs', by, headers: { Origin: PAGE } },
    expect: { status: 204, headers: { Allow: 'GET, HEAD, POST, OPTIONS' } },
  },
]);

/** An event token for the job of these rows. */
async function tokenOf({ get }: Scene): Promise<string> {
  return (await get<{ token: string }>({ path: '/v1/event-tokens', body: { jobId: job }, by })).token;
}

/** Sends a request to a notifier, which must refuse it without repeating the token. */
async function refused(scene: Scene, path: string, headers: Record<string, string> = {}): Promise<Answer> {
  const answer = await scene.ask({ path, at: 'notifier', headers });
  assert.ok(!JSON.stringify(answer).includes(path.split('token=')[1] ?? path), 'the answer repeats the token');
  return answer;
}

const challengeOf = ({ status, headers }: Answer): unknown[] => [status, headers['www-authenticate']];
const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');

const tokens: Row[] = [
  ...rowsOf('RFC 6750', [
    {
      section: '2',
      rule: 'A request with a key and an event token is answered 400 with invalid_request',
      asked: 'GET /v1/events?token=…, Authorization: Bearer …, at a notifier',
      answered: '400 invalid-request, WWW-Authenticate',
      async run(scene) {
        const headers = { authorization: `Bearer ${keyOf(by)}` };
        const answer = await refused(scene, `/v1/jobs/${job}/events?token=${await tokenOf(scene)}`, headers);
        assert.deepEqual(challengeOf(answer), [400, 'Bearer realm="offload", error="invalid_request"']);
      },
    },
    {
      section: '3.1',
      rule: 'An event token for one job is not valid for others: 403 with insufficient_scope',
      asked: 'GET /v1/events?token=… and of another job, at a notifier',
      answered: '403 insufficient-scope, WWW-Authenticate',
      async run(scene) {
        const token = await tokenOf(scene);
        for (const path of ['/v1/events', `/v1/jobs/${job.replace('0000', '0001')}/events`]) {
          const answer = await refused(scene, `${path}?token=${token}`);
          assert.deepEqual(challengeOf(answer), [403, 'Bearer realm="offload", error="insufficient_scope"']);
        }
      },
    },
    {
      section: '3.1',
      rule: 'An unknown event token is answered 401 with invalid_token, and not repeated',
      asked: 'GET /v1/events?token=…, cut, at a notifier',
      answered: '401 unauthorized, WWW-Authenticate',
      async run(scene) {
        const answer = await refused(scene, `/v1/events?token=${(await tokenOf(scene)).slice(0, -2)}`);
        assert.deepEqual(challengeOf(answer), [401, 'Bearer realm="offload", error="invalid_token"']);
        assert.equal(jsonOf(answer)['instance'], '/v1/events');
      },
    },
    {
      section: '5.3',
      rule: 'Tokens are short-lived: an hour at most',
      request: { path: '/v1/event-tokens', body: { seconds: 3_601 }, by },
      expect: { status: 400, problem: 'invalid-request', body: { errors: [{ pointer: '/seconds' }] } },
    },
  ]),
  ...rowsOf('RFC 8725', [
    {
      section: '3.1',
      rule: 'The sender of an event token cannot choose its algorithm',
      asked: 'GET /v1/jobs/{id}/events?token=… with alg none, at a notifier',
      answered: '401 unauthorized',
      async run(scene) {
        const [, claims = ''] = (await tokenOf(scene)).split('.');
        const answer = await refused(scene, `/v1/jobs/${job}/events?token=${encode({ alg: 'none' })}.${claims}.`);
        assert.equal(answer.status, 401);
      },
    },
    {
      section: '3.9',
      rule: 'An event token is for notifiers: the api accepts it neither as a key nor in the query',
      asked: 'GET /v1/jobs, Authorization: Bearer and the token; GET /v1/jobs?token=…',
      answered: '401 unauthorized',
      async run(scene) {
        const token = await tokenOf(scene);
        const asKey = await scene.ask({ path: '/v1/jobs', at, headers: { authorization: `Bearer ${token}` } });
        const inQuery = await scene.ask({ path: `/v1/jobs?token=${token}`, at });
        assert.deepEqual([asKey.status, inQuery.status], [401, 401]);
        assert.ok(!inQuery.body.includes(token), 'the answer repeats the token');
      },
    },
  ]),
];

/** The rights of pages of other origins, and event tokens. */
export const browsers = [...cors, ...tokens];
