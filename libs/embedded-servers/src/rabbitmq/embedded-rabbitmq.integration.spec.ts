import { afterEach, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { startEmbeddedRabbitmq, type EmbeddedRabbitmq } from './embedded-rabbitmq.ts';
import { processIdentity } from '@offload/child-processes';
import { removeDataFolder } from '../server-account.ts';

let folder = '';
let server: EmbeddedRabbitmq | undefined;

async function start(): Promise<EmbeddedRabbitmq> {
  server = await startEmbeddedRabbitmq({ dataDir: folder, stopGraceMs: 0, log: () => {} });
  return server;
}

async function manage(method: string, path: string, body: unknown): Promise<unknown> {
  const { username, password } = new URL(server?.amqpUrl ?? '');
  const response = await fetch(`${server?.managementUrl}/api/${path}`, {
    method,
    headers: { authorization: `Basic ${btoa(`${username}:${password}`)}` },
    body: JSON.stringify(body),
  });
  return response.status === 200 ? response.json() : response.status;
}

/**
 * RabbitMQ 3.10 confirms a new queue before it is on disk. The last record of Mnesia's log takes up to 2 s, and the
 * entry of the queue's Raft log up to 1 s. After a kill before that, the queue is missing or does not answer.
 */
const WRITE_DECLARATIONS = 'disk_log:sync(latest_log), [dets:sync(Table) || Table <- dets:all()].';

afterEach(async () => {
  await server?.stop();
  await removeDataFolder(folder);
});

it('leaves a rabbitmqctl of its own in its folder', async () => {
  folder = await mkdtemp(join(tmpdir(), 'offload-rabbitmq-'));
  await start();
  expect(await manage('PUT', 'queues/%2F/hello', { durable: true })).toBe(201);
  const { stdout } = await promisify(execFile)(join(folder, 'rabbitmqctl'), ['-q', 'list_queues', 'name', 'durable']);
  expect(stdout).toMatch(/^hello\ttrue$/m);
});

it('keeps confirmed messages through kill -9, in a small log, and leaves no process behind', async () => {
  folder = await mkdtemp(join(tmpdir(), 'offload-rabbitmq-'));
  const first = await start();
  const queue = { durable: true, arguments: { 'x-queue-type': 'quorum' } };
  expect(await manage('PUT', 'queues/%2F/kept', queue)).toBe(201);
  const message = {
    routing_key: 'kept',
    payload: 'hello',
    payload_encoding: 'string',
    properties: { delivery_mode: 2 },
  };
  expect(await manage('POST', 'exchanges/%2F/amq.default/publish', message)).toEqual({ routed: true });

  const logSize = 'maps:get(wal_max_size_bytes, ra_system:fetch(quorum_queues)).';
  expect((await first.control(['eval', logSize])).trim()).toBe(String(64 * 1024 ** 2)); // an eighth of RabbitMQ's default

  await first.control(['eval', WRITE_DECLARATIONS]);
  process.kill(first.pid, 'SIGKILL');
  expect(await first.exited).toEqual({ code: null, signal: 'SIGKILL' });
  expect(first.pids).toHaveLength(2);
  expect(first.pids.map(processIdentity)).toEqual([undefined, undefined]);

  await start();
  const get = { count: 1, ackmode: 'ack_requeue_false', encoding: 'auto' };
  expect(await manage('POST', 'queues/%2F/kept/get', get)).toMatchObject([{ payload: 'hello' }]);
}, 60_000);
