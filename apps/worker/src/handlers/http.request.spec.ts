import { afterEach, describe, expect, it } from '@jest/globals';
import { jobDefinitions } from '@offload/jobs/job-types';
import { createOutbound, NetworkFaultError, type OutboundOptions } from '@offload/outbound';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { PermanentError, RetryAfterError, type HandlerContext } from '@offload/worker';
import { httpRequest } from './http.request.ts';

const opened: { close(): unknown }[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((each) => each.close()));
});

type Answer = (request: IncomingMessage, response: ServerResponse) => unknown;

/** A server that gives `answer`, and the handler to call it with; what is given besides the URL is the payload. */
async function setup(answer: Answer, options: OutboundOptions = { allowPrivateTargets: true }) {
  const server = createServer((request, response) => void answer(request, response)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const outbound = createOutbound(options);
  opened.push(outbound, { close: () => (server.closeAllConnections(), server.close()) });
  const controller = new AbortController();
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/path?query=1`;
  const run = (payload: object = {}) =>
    httpRequest(jobDefinitions.httpRequest.payload.parse({ url, ...payload }), {
      outbound,
      signal: controller.signal,
      idempotencyKey: 'offload-1',
    } as HandlerContext);
  return { run, controller, server };
}

const status =
  (code: number, headers: Record<string, string> = {}): Answer =>
  (_request, response) =>
    response.writeHead(code, headers).end(`status ${code}`);

it("sends the payload's request and keeps the answer", async () => {
  const { run } = await setup(async (request, response) => {
    const body = Buffer.concat(await request.toArray()).toString();
    response.writeHead(201, { 'X-Many': ['a', 'b'], 'content-type': 'application/json' });
    response.end(JSON.stringify([request.method, request.url, request.headers['x-key'], body]));
  });
  const result = await run({ method: 'post', headers: { 'X-Key': 'k' }, body: '{"ü":1}' });
  expect(result).toMatchObject({ status: 201, headers: { 'x-many': 'a, b', 'content-type': 'application/json' } });
  expect(JSON.parse(result.body)).toEqual(['POST', '/path?query=1', 'k', '{"ü":1}']);
  expect(jobDefinitions.httpRequest.result.parse(result)).toEqual(result);
});

it.each([
  ['POST', {}, '"offload-1"'],
  ['PATCH', {}, '"offload-1"'],
  ['POST', { 'Idempotency-KEY': 'mine' }, 'mine'],
  ['GET', {}, undefined],
  ['PUT', {}, undefined],
])('sends the idempotency key of the job with a %s that has %j', async (method, headers, expected) => {
  let key: unknown;
  const { run } = await setup((request, response) => {
    key = request.headers['idempotency-key'];
    response.end();
  });
  await run({ method, headers });
  expect(key).toBe(expected);
});

it('keeps the lines of Set-Cookie apart, and a header named __proto__', async () => {
  const { run } = await setup((_request, response) => {
    response.setHeader('Set-Cookie', ['a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT', 'b=2']).setHeader('__proto__', 'c');
    response.end();
  });
  const result = jobDefinitions.httpRequest.result.parse(await run());
  expect(result.setCookie).toEqual(['a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT', 'b=2']);
  expect(JSON.stringify(result.headers)).toContain('"__proto__":"c"');
});

describe('the body', () => {
  it.each([
    ['text/plain', Buffer.from('grün'), 'grün'],
    ['text/plain; charset=ISO-8859-1', Buffer.from('grün', 'latin1'), 'grün'],
    ['text/plain;charset="utf-16le"', Buffer.from('grün', 'utf16le'), 'grün'],
    ['text/plain; charset=klingon', Buffer.from('grün'), 'grün'],
    ['text/plain', Buffer.from('\ufeffgrün'), 'grün'],
    ['application/octet-stream', Buffer.from([0x61, 0xff, 0x00, 0x62]), 'a\ufffd\u0000b'],
  ])('of %s is decoded', async (type, bytes, text) => {
    const { run } = await setup((_request, response) => response.setHeader('content-type', type).end(bytes));
    await expect(run()).resolves.toMatchObject({ body: text });
  });

  it('coded in a way that is not known is a permanent failure that names it', async () => {
    const { run } = await setup((_request, response) => response.setHeader('Content-Encoding', 'zstd').end('coded'));
    await expect(run()).rejects.toThrow(PermanentError);
    await expect(run()).rejects.toThrow('the content coding "zstd" of the response is not supported');
  });

  it('that is not coded as it says is a permanent failure that names the coding', async () => {
    const body = Buffer.concat([gzipSync('text'), Buffer.from('junk')]);
    const { run } = await setup((_request, response) => response.setHeader('Content-Encoding', 'gzip').end(body));
    await expect(run()).rejects.toThrow(PermanentError);
    await expect(run()).rejects.toThrow('the response is not coded as "gzip": incorrect header check');
  });

  it('after a head that is too large is a permanent failure that says so', async () => {
    const { run } = await setup((_request, response) => response.setHeader('x-large', 'y'.repeat(20_000)).end());
    await expect(run()).rejects.toThrow(PermanentError);
    await expect(run()).rejects.toThrow("the response's head is longer than 16384 bytes");
  });

  it('of more than 1 MiB is a permanent failure that says so', async () => {
    const { run } = await setup((_request, response) => response.end(Buffer.alloc(1_048_577)));
    await expect(run()).rejects.toThrow(PermanentError);
    await expect(run()).rejects.toThrow('longer than 1048576 bytes');
  });
});

describe('a status', () => {
  it.each([200, 203, 204, 226, 299])('%d is success', async (code) => {
    const { run } = await setup(status(code));
    await expect(run()).resolves.toMatchObject({ status: code });
  });

  it.each([302, 404, 503, 429])('%d in acceptStatus is success', async (code) => {
    const { run } = await setup(status(code, { 'retry-after': '5', location: '/elsewhere' }));
    await expect(run({ acceptStatus: [code] })).resolves.toMatchObject({ status: code, body: `status ${code}` });
  });

  it('outside acceptStatus is permanent, even 200', async () => {
    const { run } = await setup(status(200));
    await expect(run({ acceptStatus: [202] })).rejects.toThrow(PermanentError);
  });

  it('503 is retried after its Retry-After, even with a body that is too large', async () => {
    const { run } = await setup((_request, response) =>
      response.writeHead(503, { 'retry-after': '9' }).end(Buffer.alloc(2_000_000)),
    );
    const failure = await run().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(RetryAfterError);
    expect(failure).toMatchObject({ retryAfterMs: 9_000 });
  });

  it('302 is permanent and names the location', async () => {
    const { run } = await setup(status(302, { location: 'http://169.254.169.254/' }));
    await expect(run()).rejects.toThrow(/answered 302, which points to http:\/\/169\.254\.169\.254\//);
  });
});

describe('what never got an answer', () => {
  it('is permanent when the target is inside', async () => {
    const { run } = await setup(status(200), {});
    await expect(run()).rejects.toThrow(PermanentError);
    await expect(run({ url: 'http://169.254.169.254/latest/meta-data/' })).rejects.toThrow(PermanentError);
  });

  it.each([{ headers: { 'Content-Length': '1' } }, { headers: { host: 'other.test' } }, { method: 'CONNECT' }])(
    'is permanent when %j cannot be sent',
    async (payload) => {
      const { run } = await setup(status(200));
      await expect(run(payload)).rejects.toThrow(PermanentError);
    },
  );

  it('is retried when the name does not resolve', async () => {
    const { run } = await setup(status(200), { resolve: () => Promise.reject(new Error('ENOTFOUND')) });
    await expect(run({ url: 'http://nowhere.test/' })).rejects.toThrow(NetworkFaultError);
  });

  it('is retried when the connection breaks off', async () => {
    const { run } = await setup((request) => request.socket.destroy());
    await expect(run()).rejects.toThrow(NetworkFaultError);
  });

  it('ends at once when aborted, with the reason', async () => {
    const { run, controller } = await setup(() => controller.abort(new Error('timeout')));
    await expect(run()).rejects.toThrow('timeout');
  });
});
