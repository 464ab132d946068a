import { once } from 'node:events';
import { constants, gzipSync } from 'node:zlib';
import { expect, it } from '@jest/globals';
import { createMetrics } from '@offload/process';
import { eventually, parseAnswer } from '@offload/spec-kit';
import type { Response } from 'express';
import { budgetOf, createByteBudget, type ByteBudgetOptions } from './byte-budget.ts';
import { jsonBody } from './json-body.ts';
import { sendJson } from './send-json.ts';
import { connectRaw, serve } from './spec-service.ts';

const MIB = 1024 ** 2;
/** More than the operating system keeps for a client that does not read. */
const LARGE = 24 * MIB;
const LETTERS = 'x'.repeat(LARGE);

/** Answers that were made for clients that had left. */
let late = 0;
const lateAnswers = (count: number) => eventually(() => expect(late).toBe(count));

async function setup(most: number, options: ByteBudgetOptions = {}) {
  const metrics = createMetrics();
  const holds: Response[] = [];
  const service = await serve((app) => {
    app.locals['budget'] = createByteBudget(most, metrics, options);
    app.post('/length', jsonBody({ limitBytes: 16 * MIB }), (request, response) => {
      sendJson(response, String(request.body).length);
    });
    app.post('/hold', jsonBody({ limitBytes: 16 * MIB }), (_request, response) => void holds.push(response));
    app.get('/stream', ({ query }, response) => {
      const length = Number(query['length'] ?? LARGE);
      budgetOf(response).written(response, length);
      if (query['silent'] === undefined) response.write(LETTERS.slice(0, length));
      else response.flushHeaders();
    });
    app.post('/large', jsonBody(), (_request, response) => sendJson(response, LETTERS));
    app.get('/large', (_request, response) => sendJson(response, LETTERS));
    app.get('/late', (_request, response) => {
      // Answers although its client has left, as a route does after a slow read of the database.
      response.once('close', () => setImmediate(() => void (sendJson(response, LETTERS), (late += 1))));
    });
    app.get('/small', (_request, response) => sendJson(response, 'small'));
  });
  const figure = async (name: string) => (await metrics.getSingleMetric(name)?.get())?.values[0]?.value;
  const headers = { 'Content-Type': 'application/json' };
  const post = async (path: string, bytes: number) => {
    const response = await fetch(service.base + path, {
      method: 'POST',
      headers,
      body: JSON.stringify('y'.repeat(bytes)),
    });
    const body = (await response.json()) as { type?: string };
    return { status: response.status, retryAfter: response.headers.get('retry-after'), type: body.type };
  };
  const get = async (path: string) => {
    const response = await fetch(service.base + path);
    await response.arrayBuffer();
    return response.status;
  };
  /** A client that reads nothing of a large answer. */
  async function stare() {
    const client = await connectRaw(service.port);
    client.socket.pause();
    const before = (await figure('http_bytes_in_flight')) as number;
    client.send('GET /large HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    await eventually(async () => expect(await figure('http_bytes_in_flight')).toBeGreaterThan(before + MIB));
    return client;
  }
  /** A post whose answer is held. */
  async function hold(bytes: number) {
    const answered = post('/hold', bytes);
    const response = await eventually(() => {
      expect(holds).toHaveLength(1);
      return holds.pop() as Response;
    });
    return { answered, release: () => budgetOf(response).release(response), answer: () => sendJson(response, 'held') };
  }
  return { ...service, figure, post, get, stare, hold };
}

const overloaded = { status: 503, retryAfter: '1', type: '/problems/overloaded' };
const head = (...fields: string[]) =>
  ['POST /length HTTP/1.1', 'Host: localhost', 'Content-Type: application/json', ...fields, '', ''].join('\r\n');

const slowBodies: [what: string, octets: Buffer][] = [
  [
    'stops before its end',
    Buffer.concat([Buffer.from(head(`Content-Length: ${4 * MIB}`)), Buffer.alloc(3 * MIB, ' ')]),
  ],
  [
    'comes in chunks',
    Buffer.concat([
      Buffer.from(`${head('Transfer-Encoding: chunked')}${(3 * MIB).toString(16)}\r\n`),
      Buffer.alloc(3 * MIB, ' '),
    ]),
  ],
  [
    'is a few kilobytes that become many',
    Buffer.concat([
      Buffer.from(head('Content-Encoding: gzip', 'Content-Length: 100000')),
      gzipSync(Buffer.alloc(3 * MIB, ' '), { finishFlush: constants.Z_SYNC_FLUSH }), // and its end does not come
    ]),
  ],
];

it.each(slowBodies)(
  'refuses a body that does not fit beside one that %s, until that one is gone',
  async (_what, octets) => {
    const { port, post, get, figure } = await setup(4 * MIB);
    const client = await connectRaw(port);
    client.send(octets);
    await eventually(async () => expect(await figure('http_bytes_in_flight')).toBeGreaterThan(2 * MIB));
    expect(await post('/length', 2 * MIB)).toEqual(overloaded);
    expect([await post('/length', 1_000), await get('/small')]).toMatchObject([{ status: 200 }, 200]);
    client.socket.destroy();
    await eventually(async () => expect(await post('/length', 2 * MIB)).toMatchObject({ status: 200 }));
    await eventually(async () => expect(await figure('http_bytes_in_flight')).toBe(0));
  },
);

it('refuses answers while too many are unread, but not the answer to a request that changed data', async () => {
  const { post, get, stare, figure } = await setup(LARGE + MIB);
  const client = await stare();
  expect([await get('/large'), await get('/small'), await figure('http_overloaded_total')]).toEqual([503, 200, 1]);
  expect((await post('/large', 10)).status).toBe(200);
  client.socket.destroy();
  await eventually(async () => expect(await get('/large')).toBe(200));
  await eventually(async () => expect(await figure('http_bytes_in_flight')).toBe(0));
});

it('sends an answer larger than the whole budget when there is no other', async () => {
  const { get, post } = await setup(MIB);
  expect([await get('/large'), (await post('/length', 2 * MIB)).status]).toEqual([200, 200]);
});

it('cuts off a client that reads nothing', async () => {
  const { stare, figure } = await setup(2 * LARGE, { stalledMs: 50 });
  const client = await stare();
  await eventually(async () => expect(await figure('http_bytes_in_flight')).toBe(0));
  client.socket.resume();
  await once(client.socket, 'close');
});

it('cuts off the client that has read for the longest time when its bytes are needed', async () => {
  const { stare, get, figure } = await setup(2 * LARGE + MIB, { patienceMs: 0 });
  const [first, second] = [await stare(), await stare()];
  expect([await get('/large'), await figure('http_readers_cut_total')]).toEqual([200, 1]);
  for (const { socket } of [first, second]) socket.resume();
  expect((await first.closed).length).toBeLessThan(LARGE);
  expect((await second.closed).length).toBeGreaterThan(LARGE);
});

it.each(slowBodies)('answers 408 to a body that %s when its bytes are needed', async (_what, octets) => {
  const { port, post, figure } = await setup(4 * MIB, { idleMs: 0 });
  const client = await connectRaw(port);
  client.send(octets);
  await eventually(async () => expect(await figure('http_bytes_in_flight')).toBeGreaterThan(2 * MIB));
  expect(await post('/length', 3 * MIB)).toMatchObject({ status: 200 });
  const answer = parseAnswer(await client.closed);
  expect([answer.status, answer.headers.get('connection')]).toEqual([408, 'close']);
  expect(JSON.parse(answer.body)).toMatchObject({ type: '/problems/request-timeout' });
  expect(await figure('http_bytes_in_flight')).toBe(0);
});

it('cuts off as few bodies as needed, and none that is younger or complete', async () => {
  const { port, post, figure, hold } = await setup(6 * MIB, { idleMs: 0 });
  const held = await hold(2 * MIB);
  const clients = [await connectRaw(port), await connectRaw(port)] as const;
  for (const [index, { send }] of clients.entries()) {
    send(Buffer.concat([Buffer.from(head(`Content-Length: ${2 * MIB}`)), Buffer.alloc(1.5 * MIB, ' ')]));
    await eventually(async () =>
      expect(await figure('http_bytes_in_flight')).toBeGreaterThanOrEqual((3.5 + 1.5 * index) * MIB),
    );
  }
  expect(await post('/length', 2 * MIB)).toMatchObject({ status: 200 });
  expect(await clients[0].closed).toMatch(/^HTTP\/1.1 408 /);
  clients[1].send(`${' '.repeat(0.5 * MIB - 1)}1`);
  await clients[1].received(/^HTTP\/1.1 200 /);
  held.answer();
  expect(await held.answered).toMatchObject({ status: 200 });
});

it('cuts off a body that trickles', async () => {
  const { port, post, figure } = await setup(4 * MIB, { idleMs: 60_000, patienceMs: 0 });
  const client = await connectRaw(port);
  client.send(Buffer.concat([Buffer.from(head(`Content-Length: ${4 * MIB}`)), Buffer.alloc(3 * MIB, ' ')]));
  await eventually(async () => expect(await figure('http_bytes_in_flight')).toBeGreaterThanOrEqual(3 * MIB));
  client.send(' ');
  expect(await post('/length', 2 * MIB)).toMatchObject({ status: 200 });
  expect(await client.closed).toMatch(/^HTTP\/1.1 408 /);
});

it('cuts off a stream with a slow reader when its bytes are needed', async () => {
  const { port, get, figure } = await setup(LARGE + MIB, { patienceMs: 0 });
  const client = await connectRaw(port);
  client.socket.pause();
  client.send('GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await eventually(async () => expect(await figure('http_bytes_in_flight')).toBe(LARGE));
  expect(await get('/large')).toBe(200);
  client.socket.resume();
  expect((await client.closed).length).toBeLessThan(LARGE);
});

it.each([
  ['the socket takes at once', '/stream?length=20000'],
  ['are not written after all', '/stream?length=20000&silent'],
  ['the client has read', '/stream'],
])('stops counting bytes that %s, though the stream is open', async (_what, path) => {
  const { base, figure } = await setup(2 * LARGE);
  const { body } = await fetch(base + path);
  const reader = body?.getReader();
  const length = path === '/stream' ? LARGE : 0;
  for (let read = 0; read < length;) read += (await reader?.read())?.value?.length ?? 0;
  await eventually(async () => expect(await figure('http_bytes_in_flight')).toBe(0));
  await reader?.cancel();
});

it('stops counting a released body, though its answer is held', async () => {
  const { post, hold, figure } = await setup(4 * MIB);
  const held = await hold(3 * MIB);
  expect(await post('/length', 2 * MIB)).toEqual(overloaded);
  expect([held.release(), held.release()]).toEqual([true, true]);
  expect(await figure('http_bytes_in_flight')).toBe(0);
  expect(await post('/length', 2 * MIB)).toMatchObject({ status: 200 });
  held.answer();
  expect(await held.answered).toMatchObject({ status: 200 });
  expect(await figure('http_bytes_in_flight')).toBe(0);
});

it('does not count a Content-Length before the body arrives', async () => {
  const { port, post } = await setup(MIB);
  const client = await connectRaw(port);
  client.send(head(`Content-Length: ${8 * MIB}`));
  client.send(' ');
  expect(await post('/length', MIB / 2)).toMatchObject({ status: 200 });
});

it('counts nothing for clients that left before their body was decoded or their answer was made', async () => {
  const { port, figure, get } = await setup(64 * MIB);
  const zipped = gzipSync(Buffer.alloc(8 * MIB, ' '));
  const requests = [
    Buffer.concat([Buffer.from(head('Content-Encoding: gzip', `Content-Length: ${zipped.length}`)), zipped]),
    Buffer.from('GET /late HTTP/1.1\r\nHost: localhost\r\n\r\n'),
  ];
  for (const octets of [...requests, ...requests, ...requests]) {
    const client = await connectRaw(port);
    client.send(octets);
    await new Promise<void>((resolve) => client.socket.write('', () => resolve()));
    client.socket.destroy();
  }
  await lateAnswers(6 / 2);
  expect(await get('/small')).toBe(200);
  await eventually(async () => expect(await figure('http_bytes_in_flight')).toBe(0));
});
