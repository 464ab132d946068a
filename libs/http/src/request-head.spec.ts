import { describe, expect, it } from '@jest/globals';
import { parseAnswer } from '@offload/spec-kit';
import { methodNotAllowed } from './problem.ts';
import { originForm } from './request-head.ts';
import { exchangeRaw, serve } from './spec-service.ts';

async function setup() {
  const service = await serve((app) => {
    app
      .route('/jobs/:id')
      .get((request, response) => void response.json({ ...request.params, ...request.query }))
      .post((_request, response) => void response.status(202).end())
      .all(methodNotAllowed('GET, HEAD, POST'));
  });
  const send = async (lines: string[]) => {
    const answer = parseAnswer(await exchangeRaw(service.port, [...lines, 'Connection: close', '', ''].join('\r\n')));
    return { ...answer, json: answer.body === '' ? null : JSON.parse(answer.body) };
  };
  return { ...service, send };
}

describe('Host', () => {
  it.each([
    ['no Host', []],
    ['two of them', ['Host: spec', 'Host: spec']],
    ['one that is no name', ['Host: spec/path']],
  ])('must be there once: 400 for %s', async (_what, lines) => {
    const { send } = await setup();
    const { status, headers, json } = await send(['GET /healthz HTTP/1.1', ...lines]);
    expect([status, json.type, json.instance]).toEqual([400, '/problems/bad-request', '/healthz']);
    expect(headers.get('x-request-id')).toMatch(/./);
  });

  it.each([['HTTP/1.0'], ['HTTP/1.1', 'Host: [::1]:3000'], ['HTTP/1.1', 'Host:']])(
    'may be as in %s %s',
    async (version, ...host) => {
      const { send } = await setup();
      expect((await send([`GET /healthz ${version}`, ...host])).status).toBe(200);
    },
  );
});

it('answers 417 for an unknown expectation, with a body or without', async () => {
  const { send } = await setup();
  for (const more of [[], ['Content-Length: 2']]) {
    const { status, json, headers } = await send(['POST /jobs/7 HTTP/1.1', 'Host: spec', 'Expect: a-miracle', ...more]);
    expect([status, json.type, json.instance]).toEqual([417, '/problems/expectation-failed', '/jobs/7']);
    expect(headers.get('connection')).toBe('close');
  }
  expect((await send(['GET /healthz HTTP/1.0', 'Expect: a-miracle'])).status).toBe(200);
});

it.each([
  ['another major version', 'GET /healthz HTTP/2.0', 'Host: spec'],
  ['an unknown transfer coding', 'POST /jobs/7 HTTP/1.1', 'Host: spec', 'Transfer-Encoding: gzip, chunked'],
  ['a transfer coding in HTTP/1.0', 'POST /jobs/7 HTTP/1.0', 'Transfer-Encoding: chunked'],
])('answers 400 to %s, and closes', async (_what, ...lines) => {
  const { send } = await setup();
  const { status, json, headers } = await send(lines);
  expect([status, json.type, headers.get('connection')]).toEqual([400, '/problems/bad-request', 'close']);
});

describe('the target', () => {
  it.each([
    ['http://spec/jobs/7?a=1', { id: '7', a: '1' }],
    ['HTTPS://other.example:8443/jobs/7', { id: '7' }],
    ['/jobs/http:%2f%2fspec', { id: 'http://spec' }],
  ])('may have scheme and host, as in %s', async (target, expected) => {
    const { send } = await setup();
    expect(await send([`GET ${target} HTTP/1.1`, 'Host: spec'])).toMatchObject({ status: 200, json: expected });
  });

  it('becomes the instance of a problem, in origin form', async () => {
    const { send } = await setup();
    const { status, json } = await send(['GET http://spec/nowhere?a=1 HTTP/1.1', 'Host: spec']);
    expect([status, json.instance]).toEqual([404, '/nowhere?a=1']);
  });

  it.each([
    ['http://spec', '/'],
    ['http://spec?a', '/?a'],
    ['http://spec//a', '//a'],
    ['//spec/a', '//spec/a'],
    ['*', '*'],
    ['/a?b=http://spec/c', '/a?b=http://spec/c'],
  ])('%s is %s in origin form', (target, expected) => {
    expect(originForm(target)).toBe(expected);
  });

  it('is converted quickly even when it is long', async () => {
    const { send } = await setup();
    const { status, body, json } = await send([`GET /${'%41'.repeat(5_000)} HTTP/1.1`, 'Host: spec']);
    expect(status).toBe(404);
    expect(body.length).toBeLessThan(4_000);
    expect(decodeURI(json.instance)).toMatch(/^\/A+$/);
  });

  it('may be * for OPTIONS, and nothing else', async () => {
    const { send } = await setup();
    expect((await send(['OPTIONS * HTTP/1.1', 'Host: spec'])).status).toBe(204);
    expect((await send(['GET * HTTP/1.1', 'Host: spec'])).status).toBe(400);
  });
});

describe('the method', () => {
  it('OPTIONS lists the methods of a path, and gets 404 where there is no path', async () => {
    const { base } = await setup();
    for (const [path, allow] of [
      ['/jobs/7', 'GET, HEAD, POST, OPTIONS'],
      ['/healthz', 'GET, HEAD, OPTIONS'],
      ['/readyz', 'GET, HEAD, OPTIONS'],
      ['/metrics', 'GET, HEAD, OPTIONS'],
    ]) {
      const response = await fetch(base + path, { method: 'OPTIONS' });
      expect([response.status, response.headers.get('allow'), await response.text()]).toEqual([204, allow, '']);
    }
    expect((await fetch(`${base}/nowhere`, { method: 'OPTIONS' })).status).toBe(404);
  });

  it.each(['DELETE', 'TRACE', 'PUT', 'PROPFIND'])('%s gets 405 where it is not allowed', async (method) => {
    const { send } = await setup();
    for (const [path, allow] of [
      ['/jobs/7', 'GET, HEAD, POST, OPTIONS'],
      ['/healthz', 'GET, HEAD, OPTIONS'],
    ]) {
      const { status, headers, json } = await send([`${method} ${path} HTTP/1.1`, 'Host: spec', 'X-Secret: 1']);
      expect([status, headers.get('allow'), json.type]).toEqual([405, allow, '/problems/method-not-allowed']);
    }
  });

  it.each(['/jobs/7', '/healthz', '/readyz', '/metrics', '/nowhere', '/jobs/%zz'])(
    'HEAD of %s has the headers of GET, and no body',
    async (path) => {
      const { base } = await setup();
      const [get, head] = (await Promise.all(['GET', 'HEAD'].map((method) => fetch(base + path, { method })))) as [
        Response,
        Response,
      ];
      // The client requests other connections, and the metrics have changed since.
      const ofEach = [
        'date',
        'x-request-id',
        'connection',
        'keep-alive',
        ...(path === '/metrics' ? ['content-length'] : []),
      ];
      const told = ({ status, headers }: Response) => [status, [...headers].filter(([name]) => !ofEach.includes(name))];
      expect(told(head)).toEqual(told(get));
      expect(await head.text()).toBe('');
    },
  );
});
