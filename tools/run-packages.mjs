// Runs the programs of tools/package-consumer.mjs against a running system: `npm start` without a worker.
import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';

const root = join(import.meta.dirname, '..');
const SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="400" height="200"/>';

/**
 * Lets the shop's app submit a job of a type that the api does not know, and the worker run it.
 *
 * @param {{ worker: string, shop: string }} folders where both are installed and compiled
 * @throws {Error} with the log of the program that failed
 */
export async function runPackages({ worker, shop }) {
  const data = mkdtempSync(join(tmpdir(), 'offload-packages-data-'));
  chmodSync(data, 0o711); // as root, its servers run as other users
  const [API_PORT, NOTIFIER_PORT] = await freePorts(2);
  const api = `http://127.0.0.1:${API_PORT}`;
  const running = [];
  const start = (folder, args, env) => {
    const program = startProgram(folder, args, env);
    running.unshift(program);
    return program;
  };
  try {
    const sources = ['--import', 'tsx', '--conditions=@offload/source', 'apps/start/src/main.ts'];
    const system = start(root, [...sources, '--workers', '0', '--notifiers', '1'], {
      ...{ DATA_DIR: data, API_PORT, NOTIFIER_PORT, API_KEYS: '', DATABASE_URL: '', AMQP_URL: '', QUEUES: '' },
    });
    await system.line(/^ready after/);
    expect((await fetch(`${api}/v1/job-types/image.resize`)).status, 404);

    const servers = JSON.parse(readFileSync(join(data, 'servers.json'), 'utf8'));
    const own = start(worker, ['out/worker.js'], { ...servers, WORKER_PORT: '0' });
    await own.line(/"msg":"job types registered"/);
    const [, port] = await start(shop, ['out/shop.js'], { OFFLOAD_URL: api }).line(/^shop at (\d+)/);
    const avatars = `http://127.0.0.1:${port}/avatars`;
    const taken = await accepted(avatars, JSON.stringify({ svg: SVG }));
    const avatar = await fetch(new URL(taken.headers.get('location'), avatars));
    expect(await avatar.text(), '{"width":20,"height":10}');
  } catch (error) {
    const logs = running.map(({ output, command }) => `--- ${command}\n${output()}`).join('\n');
    throw new Error(`${error.message}\n${logs}`, { cause: error });
  } finally {
    for (const program of running) await program.stop();
    rmSync(data, { recursive: true, force: true });
  }
}

/** Posts until the api accepts: it knows a new type some milliseconds after the worker has registered it. */
async function accepted(url, body) {
  const until = performance.now() + 10_000;
  for (;;) {
    const answer = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    if (answer.status === 202) return answer;
    if (performance.now() > until) throw new Error(`not accepted: ${answer.status} ${await answer.text()}`);
    await delay(100);
  }
}

/** Starts a Node.js program that ends with this process, and reads its output. */
function startProgram(cwd, args, env) {
  const child = spawn(process.execPath, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise((resolve) => child.once('close', resolve));
  const end = () => child.kill('SIGTERM');
  process.once('exit', end);
  const lines = [];
  const readers = new Set();
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line);
      for (const read of readers) read(line);
    });
  }
  return {
    command: args.join(' '),
    output: () => lines.join('\n'),
    /** Resolves with the first line that matches. Rejects when the program ends before. */
    line: (pattern) =>
      new Promise((resolve, reject) => {
        const read = (line) => pattern.test(line) && resolve(pattern.exec(line));
        readers.add(read);
        lines.forEach(read);
        void ended.then((code) => reject(new Error(`${args.join(' ')} ended with ${code}`)));
      }),
    async stop() {
      end();
      await ended;
      process.off('exit', end);
    },
  };
}

function expect(actual, expected) {
  if (actual !== expected) throw new Error(`expected ${expected}, got ${actual}`);
}

/** Finds ports that are free at this moment. */
async function freePorts(count) {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => new Promise((resolve) => server.once('listening', resolve))));
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports.map(String);
}
