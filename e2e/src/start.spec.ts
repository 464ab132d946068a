import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { startProgram, type Environment, type Program } from '@offload/running-system';
import { finished, submit, type Site } from '@offload/running-system/requests';

const START = 'apps/start/src/main.ts';

let folder: string;
let env: Environment;
let api: Site;
const started: Program[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'offload-start-'));
  await chmod(folder, 0o711); // root's servers run as other users, whose data would otherwise move to another folder and stay there
  const [API_PORT, NOTIFIER_PORT, WORKER_PORT] = await freePorts(3);
  env = { DATA_DIR: folder, API_PORT: `${API_PORT}`, NOTIFIER_PORT: `${NOTIFIER_PORT}`, WORKER_PORT: `${WORKER_PORT}` };
  api = { url: `http://127.0.0.1:${API_PORT}` };
});

afterAll(async () => {
  await Promise.all(started.map((program) => program.kill('SIGTERM')));
  await rm(folder, { recursive: true, force: true });
});

/** Starts one worker and one notifier, each on one port. */
function start(): Program {
  const program = startProgram(START, env, ['--workers', '1', '--notifiers', '1']);
  started.push(program);
  return program;
}

/** Finds ports that are free at this moment. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => new Promise((resolve) => server.once('listening', resolve))));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

it('starts everything, keeps the data over a restart, and refuses a second run', async () => {
  const first = start();
  const ready = await first.text(/^ready .*/m);
  expect(ready).toContain(`api ${api.url}`);
  expect(ready).toMatch(/notifiers http:\S+, RabbitMQ http:\S+/);
  expect(await first.text(/^ {2}data: .*/m)).toMatch(/PostgreSQL 127\.0\.0\.1:\d+, RabbitMQ 127\.0\.0\.1:\d+$/);
  const { id } = await submit(api, { type: 'demo.sleep', payload: { seconds: 0 } });
  const job = await finished(api, { id });
  expect(job.status).toBe('succeeded');

  const second = await start().exited;
  expect(second.code).toBe(1);
  expect(second.output).toMatch(new RegExp(`already running.*pid ${first.pid}`));

  expect(await first.kill('SIGINT')).toBe(0);
  await expect(fetch(`${api.url}/healthz`)).rejects.toThrow();

  const again = start();
  await again.text(/^ready /m);
  expect(await finished(api, { id })).toEqual(job);
  expect(await again.kill('SIGINT')).toBe(0);
}, 180_000);

it('names the port that is taken, and its variable', async () => {
  const server = createServer().listen(Number(env.API_PORT), '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { code, output } = await start().exited;
  await new Promise((resolve) => server.close(resolve));
  expect(code).toBe(1);
  expect(output).toMatch(new RegExp(`${env.API_PORT}.*API_PORT|API_PORT.*${env.API_PORT}`));
});

it('refuses unknown options', async () => {
  const { code, output } = await startProgram(START, env, ['--speed', '9']).exited;
  expect(code).toBe(1);
  expect(output).toContain('--speed');
});
