import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { type BatchItem, createClient } from '@offload/client';
import { databaseUrl, sql, startSystem, type System, type SystemProcess } from '@offload/running-system';
import { checkedFetch } from '@offload/running-system/requests';
import { eventually, freshVhost, type FreshVhost } from '@offload/spec-kit';
import { type PoolMode, startPostgres, type TestPostgres } from '@offload/spec-kit/servers';

const JOBS = 1_000;
const RESTARTS = 3;
const poolMode = (process.env['TEST_POOLER'] ?? 'transaction') as PoolMode;

let postgres: TestPostgres;
let vhost: FreshVhost;
let system: System;
let api: SystemProcess;
let target: Server;
/** Number of calls to each job's target. */
const calls = new Map<string, number>();

beforeAll(async () => {
  target = createServer((request, response) => {
    const path = request.url as string;
    calls.set(path, (calls.get(path) ?? 0) + 1);
    setTimeout(() => response.end('done'), 50);
  }).listen(0, '127.0.0.1');
  [postgres, vhost] = await Promise.all([startPostgres(), freshVhost(), once(target, 'listening')]);
  const url = databaseUrl(postgres.url, 'offload');
  system = await startSystem({ databaseUrl: url, amqpUrl: vhost.amqpUrl, poolMode });
  const worker = () => system.startWorker({ ALLOW_PRIVATE_TARGETS: 'true', WORKER_CONCURRENCY: '20' });
  [api] = await Promise.all([system.startApi(), worker(), worker()]);
}, 120_000);
afterAll(async () => {
  await system?.stop();
  target?.closeAllConnections();
  target?.close();
  await Promise.all([vhost?.remove(), postgres?.remove()]);
});

it(`loses and repeats none of ${JOBS} jobs while the database behind a pooler restarts`, async () => {
  const base = `http://127.0.0.1:${(target.address() as AddressInfo).port}`;
  const client = createClient({
    baseUrl: api.url,
    maxAttempts: 100,
    backoffBaseMs: 100,
    backoffMaxMs: 100,
    fetch: checkedFetch,
  });
  const batches = Array.from({ length: 10 }, async (_, batch) => {
    const items = Array.from({ length: JOBS / 10 }, (_, n): BatchItem<string> => {
      return ['http.request', { url: `${base}/${batch}-${n}` }, { maxAttempts: 1 }];
    });
    return client.submitBatch(items);
  });
  for (let restart = 1; restart <= RESTARTS; restart += 1) {
    await eventually(() => expect(calls.size).toBeGreaterThanOrEqual((JOBS / (RESTARTS + 1)) * restart), {
      timeoutMs: 60_000,
    });
    await postgres.restart(restart === RESTARTS ? 'immediate' : 'fast');
  }
  expect((await Promise.all(batches)).flat()).toHaveLength(JOBS);

  const statuses = 'select status, attempt, count(*)::int as count from jobs group by status, attempt';
  await eventually(
    async () => {
      expect(await sql(system.databaseUrl, statuses)).toEqual([{ status: 'succeeded', attempt: 1, count: JOBS }]);
    },
    { timeoutMs: 120_000 },
  );
  expect(calls.size).toBe(JOBS);
  expect([...calls.values()].filter((count) => count > 1)).toEqual([]);
}, 300_000);
