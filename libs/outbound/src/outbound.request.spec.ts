import { describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { InvalidRequestError, NetworkFaultError } from './errors.ts';
import type { OutboundRequest } from './request.ts';
import { setup, serve, text, offline } from './spec-outbound.ts';

describe('a request', () => {
  it.each(['ftp://example.com/', 'file:///etc/passwd', 'example.com', '', 'http://', 'http://me:secret@example.com/'])(
    'with the URL "%s" is invalid',
    async (url) => {
      const { outbound } = offline({});
      await expect(outbound.request({ url }, text)).rejects.toThrow(InvalidRequestError);
    },
  );

  it.each<Partial<OutboundRequest>>([
    { headers: { 'Content-Length': '5' } },
    { headers: { 'transfer-encoding': 'chunked' } },
    { headers: { Connection: 'close' } },
    { headers: { host: 'other.test' } },
    { headers: { upgrade: 'websocket' } },
    { headers: { 'x-a': '1', 'X-A': '2' } },
    { headers: { 'x-a': 'line\r\nbreak: 1' } },
    { headers: { 'x a': '1' } },
    { method: 'CONNECT' },
    { method: 'no token' },
    { timeoutMs: 2 ** 31 },
    { timeoutMs: Infinity },
    { timeoutMs: -1 },
  ])('with a member that HTTP or a timer does not allow is invalid: %j', async (part) => {
    const { url } = await serve((_request, response) => response.end());
    await expect(setup().request({ url, ...part }, text)).rejects.toThrow(InvalidRequestError);
  });

  it('carries method, headers and body', async () => {
    const { url } = await serve(async (request, response) => {
      const body = Buffer.concat(await request.toArray()).toString();
      const { method, headers } = request;
      response.end(JSON.stringify({ method, body, a: headers['x-a'], accept: headers['accept-encoding'] }));
    });
    for (const method of ['POST', 'GET', 'DELETE', 'PURGE']) {
      const answer = await setup().request({ url, method, headers: { 'X-A': 'ä' }, body: 'größer' }, text);
      expect(JSON.parse(answer)).toEqual({ method, body: 'größer', a: 'ä', accept: 'identity' });
    }
  });

  it('has a default user-agent', async () => {
    const { url } = await serve((request, response) => response.end(request.headers['user-agent']));
    await expect(setup().request({ url }, text)).resolves.toMatch(/^Offload\/\d+\.\d+\.\d+$/);
    await expect(setup().request({ url, headers: { 'User-AGENT': 'mine' } }, text)).resolves.toBe('mine');
  });

  it('carries a header named __proto__', async () => {
    const { url } = await serve((request, response) => response.end(request.rawHeaders.join(' ')));
    const headers = JSON.parse('{"__proto__":"a","constructor":"b"}') as Record<string, string>;
    await expect(setup().request({ url, headers }, text)).resolves.toContain('__proto__ a constructor b');
  });

  it('does not follow redirects', async () => {
    const { url } = await serve((_request, response) => response.writeHead(302, { location: '/elsewhere' }).end());
    const answer = await setup().request({ url }, ({ status, headers }) => [status, headers.location]);
    expect(answer).toEqual([302, '/elsewhere']);
  });

  it('is aborted at once by its signal, with the reason', async () => {
    const { url } = await serve(() => controller.abort(new Error('stop')));
    const controller = new AbortController();
    await expect(setup().request({ url, signal: controller.signal }, text)).rejects.toThrow('stop');
    await expect(setup().request({ url, signal: controller.signal }, text)).rejects.toThrow('stop');
  });

  it('is aborted while its response is read', async () => {
    const { url } = await serve((_request, response) => response.write('begun'));
    const controller = new AbortController();
    const reading = setup().request({ url, signal: controller.signal }, async ({ body }) => {
      for await (const chunk of body) {
        expect(Buffer.from(chunk).toString()).toBe('begun');
        controller.abort(new Error('stop'));
      }
    });
    await expect(reading).rejects.toThrow('stop');
  });

  it('fails as a network fault when it takes too long, also in the middle of the response', async () => {
    const { url } = await serve((request, response) => void (request.url === '/begun' && response.write('begun')));
    await expect(setup().request({ url, timeoutMs: 30 }, text)).rejects.toThrow('longer than 30 ms');
    await expect(setup().request({ url: `${url}begun`, timeoutMs: 30 }, text)).rejects.toThrow(NetworkFaultError);
  });

  it.each([
    ['an unknown name', { resolve: () => Promise.reject(new Error('getaddrinfo ENOTFOUND')) }],
    [
      'a name that fails with a long message',
      { resolve: () => Promise.reject(new Error('one line\r\n\n  and another\n')) },
    ],
    ['a name without addresses', { resolve: () => Promise.resolve([]) }],
    ['a resolver that hangs', { connectTimeoutMs: 20, resolve: () => new Promise<string[]>(() => undefined) }],
  ])('to %s is a network fault with a message of one line', async (_title, options) => {
    const failed = await setup(options)
      .request({ url: 'http://nowhere.test/' }, text)
      .catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(NetworkFaultError);
    expect((failed as Error).message).toMatch(/^the request to nowhere\.test failed: .*\S$/);
  });

  it('shares a running lookup with all requests of its name, and delays no other name', async () => {
    const asked: string[] = [];
    const hanging = new Promise<string[]>(() => undefined);
    const outbound = setup({
      connectTimeoutMs: 50,
      resolve: (hostname) => {
        asked.push(hostname);
        return hostname === 'hangs.test' ? hanging : Promise.reject(new Error(`no ${hostname}, ${asked.length}`));
      },
    });
    const toHanging = () =>
      outbound.request({ url: 'http://hangs.test/' }, text).catch((error: Error) => error.message);
    const other = () => outbound.request({ url: 'http://other.test/' }, text).catch((error: Error) => error.message);
    const late = "the request to hangs.test failed: the name didn't resolve within 50 ms";
    expect(await Promise.all(Array.from({ length: 10 }, toHanging))).toEqual(Array(10).fill(late));
    expect(await toHanging()).toBe(late);
    expect(asked).toEqual(['hangs.test']);
    expect(await other()).toContain('no other.test, 2');
    expect(await other()).toContain('no other.test, 3'); // a finished lookup is not reused
  });

  it('to a closed port, or over a broken connection, is a network fault with its cause', async () => {
    const { url, server } = await serve((request) => request.socket.destroy());
    await expect(setup().request({ url }, text)).rejects.toThrow(NetworkFaultError);
    server.close();
    await once(server, 'close');
    await expect(setup().request({ url }, text)).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } });
  });
});

it('aborts running requests when it is closed', async () => {
  const { url } = await serve(() => void outbound.close());
  const outbound = setup();
  await expect(outbound.request({ url }, text)).rejects.toThrow(NetworkFaultError);
});

it.each([
  ['before its first request', false],
  ['after a request', true],
])('sends nothing after it is closed, %s', async (_when, used) => {
  let requests = 0;
  const { url } = await serve((_request, response) => {
    requests += 1;
    response.end();
  });
  const outbound = setup();
  if (used) await outbound.request({ url }, () => undefined);
  await outbound.close();
  await expect(outbound.request({ url }, () => undefined)).rejects.toThrow(NetworkFaultError);
  expect(requests).toBe(used ? 1 : 0);
});
