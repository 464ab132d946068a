import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from '@jest/globals';
import { eventually } from '@offload/spec-kit';
import type { Express } from 'express';
import request from 'supertest';
import { answers } from './health.ts';
import { createHttpService, listen } from './http-service.ts';
import { createLogger, createMetrics } from '@offload/process';
import { Problem } from './problem.ts';
import { connectRaw, serve } from './spec-service.ts';

function setup() {
  const log = createLogger('spec', { level: 'silent', instance: 'spec' });
  const logged: unknown[] = [];
  log.error = ((...line: unknown[]) => void logged.push(line)) as typeof log.error;
  const faults: Record<'needed' | 'useful', string | string[] | null> = { needed: null, useful: null };
  const app = createHttpService({
    log,
    metrics: createMetrics(),
    checks: {
      needed: { required: true, check: () => faults.needed },
      useful: { required: false, check: () => faults.useful },
    },
    routes(routes) {
      routes.get('/named/:name', (_request, response) => void response.end());
      routes.get('/broken', () => {
        throw new Error('a secret detail');
      });
    },
  });
  return { app, faults, logged };
}

it('is ready, degraded or unavailable, depending on what is missing', async () => {
  const { app, faults } = setup();
  expect((await request(app).get('/readyz').expect(200)).body.status).toBe('ready');
  faults.useful = 'away';
  expect((await request(app).get('/readyz').expect(200)).body).toEqual({
    status: 'degraded',
    checks: { needed: 'ok', useful: 'away' },
  });
  faults.needed = 'away too';
  expect((await request(app).get('/readyz').expect(503)).body.status).toBe('unavailable');
  await request(app).get('/healthz').expect(200);
});

it('names up to ten faults of one dependency, and counts the others', async () => {
  const { app, faults } = setup();
  const useful = async () => (await request(app).get('/readyz').expect(200)).body.checks.useful;
  faults.useful = [];
  expect(await useful()).toBe('ok');
  faults.useful = ['a is silent', 'b is silent'];
  expect(await useful()).toBe('a is silent; b is silent');
  faults.useful = Array.from({ length: 12 }, (_, n) => `${n}`);
  expect(await useful()).toBe('0; 1; 2; 3; 4; 5; 6; 7; 8; 9; 2 more');
});

it('hides an unexpected error from the client and logs it', async () => {
  const { app, logged } = setup();
  const { body } = await request(app)
    .get('/broken')
    .expect(500)
    .expect('Content-Type', /^application\/problem\+json/);
  expect(body).toMatchObject({ type: '/problems/internal-error', status: 500, instance: '/broken' });
  expect(JSON.stringify(body)).not.toContain('secret');
  expect(logged).toHaveLength(1);
});

it('removes the headers that a route has set from a problem', async () => {
  const { base } = await serve((app) =>
    app.get('/late', (_request, response) => {
      response.set({ ETag: 'W/"1"', 'Content-Location': '/v1/jobs/1', Deduplicated: 'true', Vary: 'Prefer' });
      throw new Problem(503, 'overloaded', 'Try again soon', 'Too much', { headers: { 'Retry-After': '1' } });
    }),
  );
  const { headers } = await fetch(`${base}/late`);
  const told = ['etag', 'content-location', 'deduplicated', 'vary', 'retry-after'].map((name) => headers.get(name));
  expect(told).toEqual([null, null, null, 'Prefer', '1']);
});

it('answers problems with Cache-Control: no-store', async () => {
  const { app } = setup();
  for (const path of ['/broken', '/nowhere']) await request(app).get(path).expect('Cache-Control', 'no-store');
});

it('answers 400 to a path that cannot be decoded', async () => {
  const { app, logged } = setup();
  const { body } = await request(app).get('/named/%zz').expect(400);
  expect(body).toMatchObject({ type: '/problems/bad-request', instance: '/named/%25zz' });
  expect(logged).toEqual([]);
});

it('listens, rejects when the port is taken, and closes', async () => {
  const { app } = setup();
  const { port, close } = await listen(app, { host: '127.0.0.1', port: 0 });
  expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200);
  await expect(listen(app, { host: '127.0.0.1', port })).rejects.toThrow(/EADDRINUSE/);
  await close();
});

it('closes although a client asks on and on: each answer from then on is the last of its connection', async () => {
  const held: (() => void)[] = [];
  const log = createLogger('spec', { level: 'silent', instance: 'spec' });
  const routes = (app: Express) => void app.get('/held', (_request, response) => void held.push(() => response.end()));
  const app = createHttpService({ log, metrics: createMetrics(), checks: {}, routes });
  const { port, close } = await listen(app, { host: '127.0.0.1', port: 0 });
  const client = await connectRaw(port);
  client.send('GET /held HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(2));
  await eventually(() => expect(held).toHaveLength(1));
  const closed = close();
  held.shift()?.();
  expect(await client.closed).toMatch(/^HTTP\/1\.1 200 OK\r\n(?:.+\r\n)*Connection: close\r\n/);
  await closed;
  expect(held).toEqual([]); // the second request was not acted on
});

it('does not wait for ever for a dependency', async () => {
  expect(await answers(() => new Promise(() => undefined), 1)()).toBe('no answer within 1 ms');
  expect(await answers(async () => undefined)()).toBeNull();
  expect(
    await answers(async () => {
      throw new Error('refused');
    })(),
  ).toBe('refused');
});

it('does not answer 304 without an ETag', async () => {
  const { app } = setup();
  await request(app).get('/healthz').set('If-None-Match', '*').expect(200);
});

it('prints no label that a client invents', async () => {
  const { app } = setup();
  const printed = async () => (await request(app).get('/metrics').expect(200)).text;
  const ask = (method: string, path: string) =>
    new Promise<void>((resolve, reject) => {
      const { port } = server.address() as AddressInfo;
      const call = http.request({ port, method, path, headers: { 'x-made-up': method } }, (response) => {
        response.resume().once('end', resolve);
      });
      call.once('error', reject).end();
    });
  const server = http.createServer(app).listen(0);
  try {
    await ask('GET', '/named/one');
    const before = (await printed()).match(/^http_request_duration_seconds_count/gm)?.length ?? 0;
    for (const method of http.METHODS.filter((name) => name !== 'CONNECT')) {
      for (const path of ['/healthz', `/named/${method}`, `/${method}`, `/named/one?${method}`])
        await ask(method, path);
    }
    const text = await printed();
    expect(
      [...text.matchAll(/^http_request_duration_seconds_count\{method="([^"]+)"/gm)].map(([, method]) => method),
    ).not.toContain('PURGE');
    // Each of three routes with the methods that it has, what is not allowed there, and what is nowhere.
    expect((text.match(/^http_request_duration_seconds_count/gm)?.length ?? 0) - before).toBeLessThan(20);
  } finally {
    server.close();
  }
});
