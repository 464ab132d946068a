import { once } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { parseAnswer } from '@offload/spec-kit';
import type { Response } from 'express';
import { jsonBody } from './json-body.ts';
import { connectRaw, exchangeRaw, serve } from './spec-service.ts';

const SHORT_MS = 100;

async function setup(requestTimeoutMs = 30_000) {
  const held: Response[] = [];
  const bodies: unknown[] = [];
  const service = await serve(
    (app) => {
      app.post('/jobs', jsonBody(), (request, response) => {
        bodies.push(request.body);
        response.json('done');
      });
      app.all('/held', (_request, response) => void held.push(response));
      app.get('/begun', (_request, response) => {
        response.write('a part');
        held.push(response);
      });
    },
    {},
    requestTimeoutMs,
  );
  return { ...service, held, bodies };
}

const post = 'POST /jobs HTTP/1.1\r\nHost: spec\r\nContent-Type: application/json\r\n';
const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: spec\r\n\r\n`;

/** The answers in `text`, each with its body as it is. */
const answersIn = (text: string) => text.split(/(?=HTTP\/1\.1 )/).map(parseAnswer);

describe('a malformed request', () => {
  it.each([
    ['a line of something else', 'hello\r\n\r\n', 400],
    ['a TLS greeting', Buffer.from('16030100a5010000a10303', 'hex'), 400],
    ['another version', 'GET / HTTP/3.0\r\nHost: spec\r\n\r\n', 400],
    ['a header without a colon', 'GET / HTTP/1.1\r\nHost: spec\r\nwhat\r\n\r\n', 400],
    ['a header with a control character', 'GET / HTTP/1.1\r\nHost: spec\r\nA: \x01\r\n\r\n', 400],
    ['two lengths', `${post}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n`, 400],
    ['a wrong length', `${post}Content-Length: two\r\n\r\n`, 400],
    ['a head of 20 KiB', `GET / HTTP/1.1\r\nHost: spec\r\nA: ${'x'.repeat(20 * 1024)}\r\n\r\n`, 431],
    ['a target of 200 KiB', `GET /${'x'.repeat(200 * 1024)} HTTP/1.1\r\nHost: spec\r\n\r\n`, 414],
    ['a tunnel', 'CONNECT spec:443 HTTP/1.1\r\nHost: spec\r\n\r\n', 405],
  ])('is answered as a problem: %s', async (_what, text, status) => {
    const { port, logged } = await setup();
    const answer = parseAnswer(await exchangeRaw(port, text));
    expect(answer.status).toBe(status);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-type': 'application/problem+json; charset=utf-8',
      'cache-control': 'no-store',
      connection: 'close',
      'x-request-id': expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    const instance = `urn:uuid:${answer.headers.get('x-request-id')}`;
    expect(JSON.parse(answer.body)).toMatchObject({ type: expect.stringMatching(/^\/problems\//), status, instance });
    expect(logged).toEqual([]);
  });

  it('is answered once, and later bytes do not reset the connection before the answer is read', async () => {
    const { port, base } = await setup();
    const client = await connectRaw(port, true);
    client.send('nonsense\r\n\r\n');
    await once(client.socket, 'end');
    for (let round = 0; round < 3; round += 1) {
      client.send('more of it\r\n\r\n'.repeat(5_000));
      await fetch(`${base}/healthz`); // the server reads this request after those bytes
    }
    client.socket.end();
    expect(answersIn(await client.closed)).toMatchObject([{ status: 400 }]);
    expect(client.errors).toEqual([]);
  });

  it('does not prevent the answers to earlier requests', async () => {
    const { port, base, held } = await setup();
    const client = await connectRaw(port);
    client.send(`${get('/held')}${get('/healthz')}nonsense\r\n\r\n`);
    await fetch(`${base}/healthz`); // by then it has come
    held[0]?.json('at last');
    const answers = answersIn(await client.closed);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 400]);
    expect(answers[0]?.body).toBe('"at last"');
  });
});

describe('a malformed chunk', () => {
  const broken = `${post}X-Request-Id: mine\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n`;

  it('gets a problem, and its request is never acted on', async () => {
    const { port, bodies, logged } = await setup();
    const { status, headers, body } = parseAnswer(await exchangeRaw(port, broken));
    expect([status, headers.get('x-request-id'), JSON.parse(body).instance]).toEqual([400, 'mine', '/jobs']);
    expect([bodies, logged]).toEqual([[], []]);
  });

  it('cuts an answer that has begun', async () => {
    const { port } = await setup();
    const client = await connectRaw(port);
    client.send('GET /begun HTTP/1.1\r\nHost: spec\r\nTransfer-Encoding: chunked\r\n\r\n');
    await client.received(/a part/);
    client.send('zz\r\n');
    expect(await client.closed).toMatch(/^HTTP\/1\.1 200 [^]*a part\r\n$/);
  });
});

describe('a request that takes too long', () => {
  it.each([
    ['says nothing', ''],
    ['never ends its head', 'GET /healthz HTTP/1.1\r\nHost: spec\r\nX-A'],
    ['never ends its body', `${post}Content-Length: 100\r\n\r\n{"a":`],
    ['never ends its chunks', `${post}Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n`],
    ['never ends a body that no route reads', 'GET /held HTTP/1.1\r\nHost: spec\r\nContent-Length: 100\r\n\r\n{'],
  ])('gets 408 and is cut when it %s', async (_what, text) => {
    const { port, bodies, logged } = await setup(SHORT_MS);
    const { status, headers, body } = parseAnswer(await exchangeRaw(port, text));
    expect([status, headers.get('connection'), JSON.parse(body).type]).toEqual([
      408,
      'close',
      '/problems/request-timeout',
    ]);
    expect([bodies, logged]).toEqual([[], []]);
  });

  it('gets 408 without a body for HEAD', async () => {
    const { port } = await setup(SHORT_MS);
    const text = await exchangeRaw(port, 'HEAD /held HTTP/1.1\r\nHost: spec\r\nContent-Length: 9\r\n\r\n');
    expect(text).toMatch(/^HTTP\/1\.1 408 [^]*\r\n\r\n$/);
  });

  it('gets nothing more when it has been answered already', async () => {
    const { port } = await setup(SHORT_MS);
    const client = await connectRaw(port);
    client.send('POST /nowhere HTTP/1.1\r\nHost: spec\r\nContent-Length: 100\r\n\r\n');
    expect(answersIn(await client.closed)).toMatchObject([{ status: 404 }]);
  });

  it('is not a slow answer: those are not cut, with or without an unread body', async () => {
    const { port, held } = await setup(SHORT_MS);
    const large = `${'x'.repeat(200_000)}`;
    const clients = [await connectRaw(port), await connectRaw(port)] as const;
    clients[0].send(get('/held'));
    clients[1].send(`GET /held HTTP/1.1\r\nHost: spec\r\nContent-Length: ${large.length}\r\n\r\n${large}`);
    const stream = await connectRaw(port);
    stream.send(get('/begun'));
    await stream.received(/a part/);
    // Two requests that begin later are cut: by then the server would have cut the others too.
    for (let round = 0; round < 2; round += 1) await exchangeRaw(port, 'GET');
    expect(held).toHaveLength(3);
    for (const response of held) response.end('at last');
    for (const client of [...clients, stream]) await client.received(/at last/);
  });

  it('is not acted on when its rest arrives late', async () => {
    const { port, bodies } = await setup(SHORT_MS);
    const client = await connectRaw(port);
    client.send(`${post}Content-Length: 2\r\n\r\n{`);
    await client.received(/request-timeout/);
    client.send('}');
    await client.closed;
    expect(bodies).toEqual([]);
  });

  it('waits for its turn behind an answer that is held', async () => {
    const { port, base, held, bodies } = await setup(SHORT_MS);
    const client = await connectRaw(port);
    client.send(`${get('/held')}${post}Content-Length: 2\r\n\r\n`);
    for (let round = 0; round < 2; round += 1) await exchangeRaw(port, 'GET');
    client.send('{}'); // too late
    await fetch(`${base}/healthz`); // by then it has come
    held[0]?.json('at last');
    expect(answersIn(await client.closed).map(({ status }) => status)).toEqual([200, 408]);
    expect(bodies).toEqual([]);
  });
});

it('notices when the client of a held answer has gone', async () => {
  const { port, base, held, logged } = await setup();
  const client = await connectRaw(port);
  client.send(`${get('/held')}${get('/healthz')}`);
  await fetch(`${base}/healthz`); // by then it has come
  const gone = once(held[0] as Response, 'close');
  client.socket.resetAndDestroy();
  await gone;
  expect(logged).toEqual([]);
});
