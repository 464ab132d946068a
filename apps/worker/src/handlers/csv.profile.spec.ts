import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { jobDefinitions } from '@offload/jobs/job-types';
import { createOutbound } from '@offload/outbound';
import { createHook } from 'node:async_hooks';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { PermanentError, RetryAfterError, type HandlerContext } from '@offload/worker';
import { closeProfilePool } from './csv.profile.pool.ts';
import { csvProfile } from './csv.profile.ts';

const published = join(import.meta.dirname, '../../../../node_modules/vega-datasets/data/airports.csv');
const reference = JSON.parse(readFileSync(join(import.meta.dirname, '../../fixtures/profile-reference.json'), 'utf8'));

afterAll(closeProfilePool);

const servers: { close(): unknown }[] = [];
afterEach(() => servers.splice(0).forEach((server) => server.close()));

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  servers.push({ close: () => (server.closeAllConnections(), server.close()) });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/data.csv`;
}

/** Runs the handler in its thread, as the worker would. */
function run(
  payload: { csv?: string; url?: string; separator?: string },
  signal = new AbortController().signal,
  allowed = true,
) {
  const outbound = createOutbound({ allowPrivateTargets: allowed });
  return csvProfile(jobDefinitions.csvProfile.payload.parse(payload), { outbound, signal } as HandlerContext);
}

it('profiles a published CSV in its thread, given or downloaded, compressed or not', async () => {
  const csv = readFileSync(published);
  const plain = await serve((_request, response) => response.end(csv));
  const gzip = await serve((_request, response) => response.setHeader('content-encoding', 'gzip').end(gzipSync(csv)));
  for (const payload of [{ csv: csv.toString() }, { url: plain }, { url: gzip }]) {
    const result = await run(payload);
    expect(result).toMatchObject({ rows: 3_376, columns: [{ name: 'iata' }, {}, {}, {}, {}, {}, {}] });
    const counted = ({ name, type, empty, distinct, min, max, top }: (typeof result.columns)[number]) =>
      JSON.stringify([name, type, empty, distinct, min, max, top]);
    expect(result.columns.map(counted)).toEqual(reference['airports.csv'].columns.map(counted));
    expect(jobDefinitions.csvProfile.result.parse(result)).toEqual(result);
  }
});

it('takes the separator from the payload, and any encoding that it reads from a server', async () => {
  const csv = 'a,b;c\n1,2;ü\n';
  const url = await serve((_request, response) => response.end(Buffer.from(csv, 'utf16le')));
  for (const payload of [{ csv }, { url }]) {
    await expect(run({ ...payload, separator: ';' })).resolves.toMatchObject({
      separator: ';',
      columns: [{}, { min: 'ü' }],
    });
    await expect(run(payload)).rejects.toThrow('both part all lines evenly');
  }
  for (const separator of ['', ';;', '"', '\n', '\0', 'ü'])
    await expect(async () => run({ csv, separator })).rejects.toThrow();
});

it.each([203, 226])('takes a download that is answered %d', async (status) => {
  const url = await serve((_request, response) => response.writeHead(status).end('a\n1\n'));
  await expect(run({ url })).resolves.toMatchObject({ rows: 1 });
});

it('refuses a part of a file, since it asks for the whole', async () => {
  const url = await serve((_request, response) => response.writeHead(206).end('a\n1\n'));
  await expect(run({ url })).rejects.toThrow(PermanentError);
});

describe('an error', () => {
  it('in the CSV leaves the thread as a permanent error that names the line', async () => {
    await expect(run({ csv: 'a,b\n1\n' })).rejects.toThrow(
      new PermanentError('line 2: 1 field where the header has 2'),
    );
    await expect(run({ csv: 'a,b\n1\n' })).rejects.toThrow(PermanentError);
  });

  it('of the server is retried, when Retry-After says so', async () => {
    const busy = await serve((_request, response) => response.writeHead(503, { 'retry-after': '7' }).end());
    const failure = await run({ url: busy }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(RetryAfterError);
    expect(failure).toMatchObject({ retryAfterMs: 7_000, message: expect.stringContaining('answered 503') });
  });

  it('of the network is retried', async () => {
    const broken = await serve((_request, response) => {
      response.writeHead(200, { 'content-length': '100' }).write('a\n1\n', () => response.destroy());
    });
    const failure = await run({ url: broken }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(Error);
    expect(failure).not.toBeInstanceOf(PermanentError);
    expect((failure as Error).message).toMatch(/^the request to 127\.0\.0\.1:\d+ failed/);
  });

  it('of any other status, or a refused target, is permanent', async () => {
    const missing = await serve((_request, response) => response.writeHead(404).end());
    await expect(run({ url: missing })).rejects.toThrow(PermanentError);
    await expect(run({ url: missing }, undefined, false)).rejects.toThrow(
      new PermanentError(
        '127.0.0.1 is refused: it leads to an internal address; ALLOW_PRIVATE_TARGETS=true would allow it',
      ),
    );
    await expect(run({ url: 'http://169.254.169.254/' })).rejects.toThrow(PermanentError);
  });
});

it('ends at once when aborted, with the reason, and takes the next job', async () => {
  const controller = new AbortController();
  let disconnected: Promise<unknown> = Promise.resolve();
  const url = await serve((_request, response) => {
    disconnected = once(response, 'close');
    response.write('a\n1\n', () => controller.abort(new Error('shutdown')));
  });
  await expect(run({ url }, controller.signal)).rejects.toThrow('shutdown');
  await disconnected; // The thread is gone, and its connection with it.
  await expect(run({ csv: 'a\n1\n' }, controller.signal)).rejects.toThrow('shutdown');
  await expect(run({ csv: 'a\n1\n' })).resolves.toMatchObject({ rows: 1 });
});

it("starts no thread during a job's timeout: the thread starts before the claim", async () => {
  await closeProfilePool();
  let started = 0;
  const hook = createHook({ init: (_id, type) => void (started += type === 'WORKER' ? 1 : 0) }).enable();
  const release = await csvProfile.prepare?.();
  expect(started).toBeGreaterThan(0);
  started = 0;
  await expect(run({ csv: 'a\n1\n' })).resolves.toMatchObject({ rows: 1 });
  expect(started).toBe(0);
  release?.();
  hook.disable();
});

it('can be closed, twice, and used again', async () => {
  await closeProfilePool();
  await closeProfilePool();
  await expect(run({ csv: 'a\n' })).resolves.toMatchObject({ rows: 0 });
});
