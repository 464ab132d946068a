import { createHash } from 'node:crypto';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { expect, it } from '@jest/globals';
import { parseAnswer } from '@offload/spec-kit';
import { bodyDigest, jsonBody } from './json-body.ts';
import { connectRaw, exchangeRaw, serve } from './spec-service.ts';

const JSON_TYPE = { 'Content-Type': 'application/json' };

async function setup(options: Parameters<typeof jsonBody>[0] = {}, requestTimeoutMs?: number) {
  const service = await serve(
    (app) => {
      app.post('/echo', jsonBody(options), (request, response) => {
        response.json({ body: request.body, digest: bodyDigest(request).toString('hex') });
      });
      app.post('/without', (request, response) => void response.json(bodyDigest(request).length));
    },
    {},
    requestTimeoutMs,
  );
  const post = async (body: string | Buffer | null, headers: Record<string, string> = JSON_TYPE) => {
    const response = await fetch(`${service.base}/echo`, { method: 'POST', headers, body });
    const json = (await response.json()) as {
      type?: string;
      detail?: string;
      errors?: unknown[];
      body?: unknown;
      digest?: string;
    };
    return { status: response.status, headers: response.headers, json };
  };
  const postRaw = (head: string[], body: string | Buffer = '') =>
    exchangeRaw(service.port, request([...head, 'Connection: close'], body));
  return { ...service, post, postRaw };
}

function request(head: string[], body: string | Buffer): Buffer {
  const lines = ['POST /echo HTTP/1.1', 'Host: spec', ...head, '', ''];
  return Buffer.concat([Buffer.from(lines.join('\r\n')), Buffer.from(body)]);
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

it('reads JSON of any kind, and its digest', async () => {
  const { post } = await setup();
  for (const text of ['{"a":[1,"ä"]}', ' [] ', 'null', '"x"', '0']) {
    const { status, json } = await post(text);
    expect([status, json]).toEqual([200, { body: JSON.parse(text), digest: sha256(text) }]);
  }
});

it('reads JSON behind a byte order mark, plain or compressed', async () => {
  const { post } = await setup();
  const text = '\ufeff{"a":"ä"}';
  const packed = { gzip: gzipSync(text), deflate: deflateSync(text), br: brotliCompressSync(text) };
  const answers = [await post(text)];
  for (const [coding, body] of Object.entries(packed)) {
    answers.push(await post(body, { ...JSON_TYPE, 'Content-Encoding': coding }));
  }
  expect(answers.map(({ status, json }) => [status, json])).toEqual(
    answers.map(() => [200, { body: { a: 'ä' }, digest: sha256(text) }]),
  );
});

it('reads a body that arrives in pieces, and the bodies of the next requests on the connection', async () => {
  const { port } = await setup();
  const client = await connectRaw(port);
  client.send(request(['Content-Type: application/json', 'Transfer-Encoding: chunked'], '2\r\n{"\r\n'));
  await new Promise(setImmediate);
  client.send('5\r\na":1}\r\n0\r\n\r\n');
  await client.received(/"body":\{"a":1\}/);
  client.send(request(['Content-Type: application/json', 'Content-Length: 7'], '{"b'));
  await new Promise(setImmediate);
  client.send('":2}');
  await client.received(/"body":\{"b":2\}/);
});

it('computes no digest where no route reads it', async () => {
  const { base, logged } = await setup({ digested: (request) => request.get('x-digest') !== undefined });
  const status = async (headers: Record<string, string>) =>
    (await fetch(`${base}/echo`, { method: 'POST', body: '{}', headers: { ...JSON_TYPE, ...headers } })).status;
  expect([await status({ 'X-Digest': 'yes' }), await status({})]).toEqual([200, 500]);
  expect(logged).toHaveLength(1);
});

it.each([
  ['gzip', gzipSync],
  ['deflate', deflateSync],
  ['br', brotliCompressSync],
])('reads %s, and computes the digest of the decoded body', async (coding, compress) => {
  const { post } = await setup();
  const { status, json } = await post(compress('{"a":1}'), { ...JSON_TYPE, 'Content-Encoding': coding });
  expect([status, json]).toEqual([200, { body: { a: 1 }, digest: sha256('{"a":1}') }]);
});

it.each(['application/json; charset=utf-8', 'Application/JSON;charset="UTF-8"', 'application/json; profile=x'])(
  'accepts %s as JSON',
  async (type) => {
    const { post } = await setup();
    expect((await post('{}', { 'Content-Type': type })).status).toBe(200);
  },
);

it.each([
  ['text/plain', '{}'],
  ['application/json-patch+json', '{}'],
  ['application/vnd.api+json', '{}'],
  ['json', '{}'],
  ['application/json; charset=utf-16', '{}'],
  ['application/json; charset=latin-1', '{}'],
])('answers 415 with the accepted types for %s', async (type, body) => {
  const { post } = await setup();
  const { status, headers, json } = await post(body, { 'Content-Type': type });
  expect([status, headers.get('accept'), json.type]).toEqual([
    415,
    'application/json',
    '/problems/unsupported-media-type',
  ]);
});

it('answers 415 without a Content-Type, and without a body', async () => {
  const { postRaw } = await setup();
  for (const head of [['Content-Length: 2'], [], ['Content-Type: application/json']]) {
    const { status, headers } = parseAnswer(await postRaw(head, head[0]?.endsWith('2') ? '{}' : ''));
    expect([status, headers.get('accept')]).toEqual([415, 'application/json']);
  }
});

it.each([
  ['zip', 'this content coding is not supported'],
  ['compress', 'this content coding is not supported'],
  ['gzip, gzip', 'only one content coding is accepted'],
  ['gzip,br', 'only one content coding is accepted'],
])('answers 415 with the content codings it knows for %s', async (coding, detail) => {
  const { post } = await setup();
  const { status, headers, json } = await post('{}', { ...JSON_TYPE, 'Content-Encoding': coding });
  expect([status, json.type, json.detail]).toEqual([415, '/problems/unsupported-media-type', detail]);
  expect(headers.get('accept-encoding')).toMatch(/^gzip, deflate, br/);
  expect(headers.get('accept')).toBeNull();
});

it.each([
  ['', 'malformed-json'],
  ['{"a":', 'malformed-json'],
  [Buffer.from([0x22, 0xff, 0x22]), 'malformed-json'],
  ['{"a":1,"a":2}', 'invalid-request'],
  ['[[[[]]]]', 'invalid-request'],
])('answers 400 for %j', async (body, slug) => {
  const { post, logged } = await setup({ maxDepth: 3 });
  const { status, headers, json } = await post(body);
  expect([status, json.type, headers.get('cache-control')]).toEqual([400, `/problems/${slug}`, 'no-store']);
  expect(logged).toEqual([]);
});

it('reads a body up to the limit, compressed or not, and answers 413 beyond it', async () => {
  const { post } = await setup({ limitBytes: 100 });
  const [fits, large] = [98, 99].map((length) => JSON.stringify('x'.repeat(length))) as [string, string];
  const gzip = { ...JSON_TYPE, 'Content-Encoding': 'gzip' };
  for (const answer of [await post(fits), await post(gzipSync(fits), gzip)]) expect(answer.status).toBe(200);
  for (const answer of [await post(large), await post(gzipSync(large), gzip)]) {
    expect([answer.status, answer.json.type]).toEqual([413, '/problems/body-too-large']);
  }
});

it('answers 413 before the rest arrives, and reads the next request', async () => {
  const { port } = await setup({ limitBytes: 10 });
  const chunked = await connectRaw(port);
  chunked.send(request(['Content-Type: application/json', 'Transfer-Encoding: chunked'], 'b\r\n"0123456789\r\n'));
  await chunked.received(/body-too-large/);
  chunked.send('2\r\n1"\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: spec\r\n\r\n');
  await chunked.received(/alive/);
  const published = await connectRaw(port);
  published.send(request(['Content-Type: application/json', 'Content-Length: 11'], ''));
  await published.received(/body-too-large/);
});

it.each([
  ['gzip', Buffer.from('{"a":1}'), 'incorrect header check'],
  ['gzip', gzipSync('{"a":1}').subarray(0, -10), 'unexpected end of file'],
  ['GZIP', Buffer.concat([gzipSync('{"a":1}'), Buffer.from('junk')]), 'incorrect header check'],
  ['deflate', deflateRawSync('{"a":1}'), 'incorrect header check'],
  ['br', gzipSync('{"a":1}'), 'Decompression failed'],
])('answers 400 that names the coding for a body that is not coded as %s', async (coding, body, reason) => {
  const { post, logged } = await setup();
  const { status, json } = await post(body, { ...JSON_TYPE, 'Content-Encoding': coding });
  expect([status, json.type]).toEqual([400, '/problems/bad-request']);
  expect(json.detail).toBe(`its body is not coded as ${coding.toLowerCase()}: ${reason}`);
  expect(logged).toEqual([]);
});

it('answers 400 for a body shorter than its Content-Length, and logs nothing when the client has gone', async () => {
  const { port, logged } = await setup();
  const short = request(['Content-Type: application/json', 'Content-Length: 10'], '{}');
  const halfClosed = await connectRaw(port);
  halfClosed.socket.end(short);
  const { status, body } = parseAnswer(await halfClosed.closed);
  expect([status, JSON.parse(body)]).toMatchObject([400, { type: '/problems/bad-request', instance: '/echo' }]);

  const gone = await connectRaw(port);
  gone.send(short);
  gone.socket.resetAndDestroy();
  await gone.closed;
  expect(logged).toEqual([]);
});

it('reads as much body as Content-Length says, and the rest as another request', async () => {
  const { port } = await setup();
  const text = await exchangeRaw(
    port,
    request(['Content-Type: application/json', 'Content-Length: 2'], '{}garbage\r\n\r\n'),
  );
  const second = text.lastIndexOf('HTTP/1.1 ');
  expect(parseAnswer(text.slice(0, second))).toMatchObject({ status: 200 });
  expect(parseAnswer(text.slice(second))).toMatchObject({ status: 400 });
});

it('throws when a route asks for the digest of an unread body', async () => {
  const { base, logged } = await setup();
  expect((await fetch(`${base}/without`, { method: 'POST' })).status).toBe(500);
  expect(logged).toHaveLength(1);
});
