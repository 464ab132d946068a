import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { beforeAll, expect, it } from '@jest/globals';
import { repository } from '@offload/running-system';
import { eventually } from '@offload/spec-kit';
import { findPython } from '@offload/spec-kit/servers';
import type { WorkerUnderTest } from './ground.ts';
import { checks, prove } from './prove.ts';
import { startWorkerProcess } from './worker-process.ts';

const INSTALL_MS = 300_000;
const ALL_MS = 120_000;

let python: string;
beforeAll(async () => {
  python = await findPython((line) => process.stderr.write(`${line}\n`));
}, INSTALL_MS);

/** By check, what is not kept; null where it is. */
async function faultsOf(worker: WorkerUnderTest, only?: string[]): Promise<Record<string, string | null>> {
  const verdicts = await prove(worker, only);
  return Object.fromEntries(verdicts.map(({ check, fault }) => [check.name, fault]));
}
const everything = Object.fromEntries(checks.map(({ name }) => [name, null]));

it(
  'passes the worker in Python',
  async () => {
    const command = [python, join(repository, 'examples/08-python-worker/worker.py')];
    expect(await faultsOf({ command })).toEqual(everything);
  },
  ALL_MS,
);

it(
  'passes the worker of Offload',
  async () => {
    const command = [process.execPath, join(repository, 'apps/worker/dist/main.js')];
    expect(await faultsOf({ command, isOwn: true })).toEqual(everything);
  },
  ALL_MS,
);

it(
  'fails a worker that acknowledges too early, says nothing of what it holds, or writes late',
  async () => {
    const bad = (kind: string) => [python, join(import.meta.dirname, 'bad_worker.py'), kind];
    const [early, silent, late] = await Promise.all([
      faultsOf({ command: bad('AcknowledgesEarly') }, ['stored-first']),
      faultsOf({ command: bad('HoldsItsTongue') }, ['holdings', 'cancel']),
      faultsOf({ command: bad('WritesLate') }, ['fenced']),
    ]);
    expect(early).toEqual({ 'stored-first': expect.stringMatching(/acknowledged before the outcome was stored/) });
    expect(silent).toEqual({
      holdings: expect.stringMatching(/says that it holds the job: it is not/),
      cancel: expect.stringMatching(/is cancelled: it is not/),
    });
    expect(late).toEqual({ fenced: expect.stringMatching(/nothing is said to the broker about the dispatch message/) });
  },
  ALL_MS,
);

/** Listens in place of a server, and cuts each connection. */
async function nobodyHome() {
  let visits = 0;
  const server = createServer((socket) => {
    visits += 1;
    socket.on('error', () => undefined).destroy();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const visited = () => eventually(() => expect(visits).toBeGreaterThan(1), { timeoutMs: 10_000 });
  return { host: `127.0.0.1:${port}`, visited, close: () => server.close() };
}

it.each(['api', 'broker'] as const)('ends a worker in Python that waits for the %s, on SIGTERM', async (away) => {
  const [nobody, api] = [await nobodyHome(), createHttpServer((_request, response) => response.end('{}'))];
  api.listen(0, '127.0.0.1');
  await once(api, 'listening');
  const worker = startWorkerProcess(
    [python, join(repository, 'examples/08-python-worker/worker.py')],
    `waits for the ${away}`,
    {
      AMQP_URL: `amqp://${nobody.host}`,
      API_URL: away === 'api' ? `http://${nobody.host}` : `http://127.0.0.1:${(api.address() as AddressInfo).port}`,
    },
  );
  try {
    await nobody.visited();
    worker.signal('SIGTERM');
    expect([await worker.exited, worker.output]).toEqual([0, expect.not.stringContaining('Traceback')]);
  } finally {
    worker.signal('SIGKILL');
    nobody.close();
    api.close();
  }
});

it('says what to install where Python has no pika', async () => {
  const command = [python, '-S', join(repository, 'examples/08-python-worker/worker.py')];
  const worker = startWorkerProcess(command, 'without pika', {});
  expect([await worker.exited, worker.output]).toEqual([
    1,
    expect.stringMatching(/ has no pika.*\n.*pip install pika/),
  ]);
});

it('knows its checks by name', async () => {
  await expect(prove({ command: [] }, ['nothing'])).rejects.toThrow('there is no check nothing');
});
