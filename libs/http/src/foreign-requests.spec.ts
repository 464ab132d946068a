import { expect, it } from '@jest/globals';
import { parseAnswer } from '@offload/spec-kit';
import { allowedHostNames, allowedHosts, type AllowedHosts } from './foreign-requests.ts';
import { methodNotAllowed } from './problem.ts';
import { exchangeRaw, serve } from './spec-service.ts';

const page = 'https://app.example';

/** Starts a service that counts the requests it lets through. `send` sends one request, given line by line. */
async function setup({ hosts = [], origins = [] }: { hosts?: AllowedHosts; origins?: readonly string[] } = {}) {
  let served = 0;
  const { port } = await serve(
    (app) => {
      const count = () => (served += 1);
      app
        .route('/v1/jobs/:id/cancel')
        .get((_request, response) => void response.json(count()))
        .post((_request, response) => void response.json(count()))
        .all(methodNotAllowed('GET, POST'));
    },
    { corsOrigins: origins, allowedHosts: hosts },
  );
  async function ask(method: string, host: string, ...fields: string[]) {
    const head = [`${method} /v1/jobs/7/cancel HTTP/1.1`, `Host: ${host}`, 'Connection: close', ...fields, '', ''];
    const { status, body } = parseAnswer(await exchangeRaw(port, head.join('\r\n')));
    const { type, detail } = JSON.parse(body || '{}') as { type?: string; detail?: string };
    return { status, type, detail, served };
  }
  return { port, ask };
}

it.each([
  ...['127.0.0.1', '127.0.0.1:3000', '127.8.9.1', 'localhost:3000', 'LOCALHOST.', 'offload.localhost', '[::1]:3000'],
])('answers for the host %s', async (host) => {
  const { ask } = await setup();
  expect(await ask('POST', host)).toMatchObject({ status: 200, served: 1 });
});

it.each([
  ...['rebind.example', 'rebind.example:3000', '127.0.0.1.rebind.example', 'localhost.rebind.example', 'notlocalhost'],
  ...['10.0.0.1', '169.254.169.254', '0.0.0.0', '127.1', '[::2]', '[::ffff:10.0.0.1]', '127.0.0.1:3000:x', ''],
])('does not answer for the host "%s" on any path, with any method', async (host) => {
  const { port, ask } = await setup();
  for (const method of ['GET', 'POST', 'DELETE', 'OPTIONS']) {
    expect(await ask(method, host)).toMatchObject({
      status: 421,
      type: '/problems/misdirected-request',
      detail: expect.stringContaining('ALLOWED_HOSTS'),
      served: 0,
    });
  }
  for (const path of ['/healthz', '/readyz', '/metrics', '/nowhere', 'http://127.0.0.1/healthz']) {
    const answer = await exchangeRaw(port, `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    expect([path, parseAnswer(answer).status]).toEqual([path, 421]);
  }
});

it('answers for configured hosts and for loopback', async () => {
  const { ask } = await setup({ hosts: allowedHostNames.parse('Api.Example, 10.0.0.7,[fd00::7]') });
  for (const host of ['api.example', 'API.example.:80', '10.0.0.7:3000', '[fd00::7]', '127.0.0.1']) {
    expect([host, (await ask('POST', host)).status]).toEqual([host, 200]);
  }
  expect((await ask('POST', 'rebind.example')).status).toBe(421);
});

it('answers an HTTP/1.0 client without Host, because no browser is one', async () => {
  const { port } = await setup();
  expect(parseAnswer(await exchangeRaw(port, 'GET /healthz HTTP/1.0\r\n\r\n')).status).toBe(200);
});

const crossSite = 'Sec-Fetch-Site: cross-site';
const sameSite = 'Sec-Fetch-Site: same-site'; // another port of the same host, say

it.each([
  ['a form, or a fetch without cors', 'POST', [crossSite, 'Sec-Fetch-Mode: no-cors', 'Origin: https://evil.example']],
  ['a page on another port', 'POST', [sameSite, 'Sec-Fetch-Mode: no-cors', 'Origin: http://127.0.0.1:9999']],
  ['a page that hides its origin', 'POST', [crossSite, 'Origin: null']],
  ['an image or a script', 'GET', [crossSite, 'Sec-Fetch-Mode: no-cors', 'Sec-Fetch-Dest: image']],
  ['an event stream', 'GET', [crossSite, 'Sec-Fetch-Mode: cors', 'Origin: https://evil.example']],
  ['a frame', 'GET', [crossSite, 'Sec-Fetch-Mode: navigate', 'Sec-Fetch-Dest: iframe']],
  ['a form that leads here', 'POST', [crossSite, 'Sec-Fetch-Mode: navigate', 'Sec-Fetch-Dest: document']],
  ['a preflight', 'OPTIONS', [crossSite, 'Origin: https://evil.example', 'Access-Control-Request-Method: POST']],
  ['a browser that sends no Sec-Fetch-Site', 'POST', ['Origin: https://evil.example']],
  ['the same from a page of a file', 'DELETE', ['Origin: null']],
  ['the same from another port', 'POST', ['Origin: http://127.0.0.1:9999']],
])('refuses %s of another origin', async (_what, method, fields) => {
  const { ask } = await setup({ origins: [page] });
  expect(await ask(method, '127.0.0.1:3000', ...fields)).toMatchObject({
    status: 403,
    type: '/problems/foreign-page',
    detail: expect.stringContaining('CORS_ORIGINS'),
    served: 0,
  });
});

it.each([
  ['no browser', 'POST', []],
  ['a page of its own', 'POST', ['Sec-Fetch-Site: same-origin', 'Origin: http://127.0.0.1:3000']],
  ['a page of its own, of an older browser', 'POST', ['Origin: http://127.0.0.1:3000']],
  ['the address bar', 'GET', ['Sec-Fetch-Site: none', 'Sec-Fetch-Mode: navigate', 'Sec-Fetch-Dest: document']],
  ['a link elsewhere', 'GET', [crossSite, 'Sec-Fetch-Mode: navigate', 'Sec-Fetch-Dest: document']],
  ['a page that may call', 'POST', [crossSite, 'Sec-Fetch-Mode: cors', `Origin: ${page}`]],
  ['a page that may call, of an older browser', 'POST', [`Origin: ${page}`]],
])('serves %s', async (_what, method, fields) => {
  const { ask } = await setup({ origins: [page] });
  expect(await ask(method, '127.0.0.1:3000', ...fields)).toMatchObject({ status: 200, served: 1 });
});

it('serves every page where * is configured', async () => {
  const { ask } = await setup({ origins: ['*'] });
  expect((await ask('POST', '127.0.0.1', crossSite, 'Origin: null')).status).toBe(200);
});

it('answers for loopback only without keys, for any host behind keys or a guard, and for configured hosts', () => {
  const given = ['api.example'];
  expect(allowedHosts({ API_KEYS: [] })).toEqual([]);
  expect(allowedHosts({ API_KEYS: ['a key'] })).toBe('any');
  expect(allowedHosts({ API_KEYS: [], AUTH: 'off' })).toBe('any');
  expect(allowedHosts({ API_KEYS: ['a key'], AUTH: 'off', ALLOWED_HOSTS: given })).toBe(given);
});

it('reads host names, and refuses other text', () => {
  expect(allowedHostNames.parse(' * ')).toBe('any');
  for (const wrong of ['http://api', 'api:3000', 'api/', 'a b', 'api,', '*.example,*', 'api?']) {
    expect([wrong, allowedHostNames.safeParse(wrong).success]).toEqual([wrong, false]);
  }
});
