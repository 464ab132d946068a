import { afterEach, expect, it } from '@jest/globals';
import { access, mkdtemp, readFile, rm, stat, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { sourceArguments, startChild, type Child, freePort, processIdentity } from '@offload/child-processes';

const stub = join(import.meta.dirname, '../fixtures/stub-system.mjs');
let folder = '';
let system: Child | undefined;

afterEach(async () => {
  await system?.stop('SIGKILL', 0);
  await rm(folder, { recursive: true });
});

/** Starts the system with stand-ins for its processes, and with servers that run elsewhere. */
async function setup(environment: NodeJS.ProcessEnv = {}) {
  folder = await mkdtemp(join(tmpdir(), 'offload-system-'));
  const lines: string[] = [];
  let wake = (): void => {};
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    NODE_OPTIONS: '',
    API_PORT: String(await freePort()),
    WORKER_PORT: String(await freePort()),
    NOTIFIER_PORT: String(await freePort()),
    DATABASE_URL: 'postgres://elsewhere/offload',
    AMQP_URL: 'amqp://elsewhere',
    ...environment,
  };
  const start = () =>
    startChild(process.execPath, [...sourceArguments(stub), folder], {
      env,
      cwd: join(import.meta.dirname, '../../..'),
      onLine(line) {
        lines.push(line);
        wake();
      },
    });
  system = await start();
  /** Resolves with the n-th line that matches. */
  async function line(pattern: RegExp, number = 1): Promise<string> {
    for (;;) {
      const found = lines.filter((text) => pattern.test(text))[number - 1];
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => (wake = resolve));
    }
  }
  const get = async (path: string) => (await fetch(`http://127.0.0.1:${env['WORKER_PORT']}${path}`)).text();
  return { system, start, lines, line, get, apiPort: env['API_PORT'] };
}

it('runs until a signal, restarts a crashed process, and leaves no process behind', async () => {
  const { system, start, lines, line, get, apiPort } = await setup();
  expect(await line(/^ready/)).toContain(`api http://127.0.0.1:${apiPort}, notifiers http://127.0.0.1:`);
  expect(await line(/^migrate/)).toBe('migrate    | migrating postgres://elsewhere/offload');

  await get('/crash').catch(() => {});
  await line(/^worker-1 +\| is running again$/);
  const pid = Number(await get('/readyz'));
  await get('/crash').catch(() => {});
  await line(/^worker-1 +\| ended unexpectedly \(code 7\), starting again in 500 ms$/);
  await line(/^worker-1 +\| is running again$/, 2);
  const successor = Number(await get('/readyz'));
  expect(successor).not.toBe(pid);

  const second = await start();
  expect(await second.exited).toEqual({ code: 1, signal: null });
  expect(second.tail()).toBe(`already running (pid ${system.pid})`);

  const recorded = JSON.parse(await readFile(join(folder, 'processes.json'), 'utf8')) as Record<
    string,
    { pid: number }[]
  >;
  const pids = Object.values(recorded).flatMap((processes) => processes.map((process) => process.pid));
  expect(pids).toHaveLength(4);
  expect(pids).toContain(successor);
  process.kill(system.pid, 'SIGINT');
  process.kill(system.pid, 'SIGINT'); // npm passes on the Ctrl-C that the terminal has sent already
  expect(await system.exited).toEqual({ code: 0, signal: null });
  expect(lines.filter((text) => text.includes('finishing'))).toHaveLength(4);
  expect(pids.map(processIdentity)).toEqual([undefined, undefined, undefined, undefined]);
}, 30_000);

it('restarts processes in good order when their sources change', async () => {
  const { system, lines, line, get } = await setup({ WATCH: '1' });
  await line(/^ready/);
  const pid = await get('/readyz');
  await utimes(join(import.meta.dirname, '../fixtures/stub-application.mjs'), new Date(), new Date());
  await line(/^worker-1 +\| is running again$/);
  expect(await get('/readyz')).not.toBe(pid);
  process.kill(system.pid, 'SIGTERM');
  await system.exited;
  const said = lines.filter((text) => /^worker-1 +\|.*(sources|finishing|unexpectedly|again)/.test(text));
  expect(said.map((text) => /sources changed|finishing|running again/.exec(text)?.[0])).toEqual([
    'sources changed',
    'finishing',
    'running again',
    'finishing',
  ]);
}, 30_000);

it('tells programs of the same user the URLs of its servers while it runs', async () => {
  const { system, line } = await setup({ QUEUES: 'default,mail' });
  await line(/^ready/);
  const file = join(folder, 'servers.json');
  expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({
    DATABASE_URL: 'postgres://elsewhere/offload',
    AMQP_URL: 'amqp://elsewhere',
    QUEUES: 'default,mail',
  });
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  process.kill(system.pid, 'SIGTERM');
  await system.exited;
  await expect(access(file)).rejects.toThrow('ENOENT');
}, 30_000);

it('makes a secret for webhooks once, which only its user may read, and names the file', async () => {
  const { system, start, line, get } = await setup();
  await line(/^ready/);
  const file = join(folder, 'webhook-secrets');
  const secret = (await readFile(file, 'utf8')).trim();
  expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(await line(/^ {2}hooks:/)).toContain(file);
  expect(await get('/webhook-secrets')).toBe(secret);
  process.kill(system.pid, 'SIGTERM');
  await system.exited;

  const again = await start();
  await line(/^ready/, 2);
  expect(await get('/webhook-secrets')).toBe(secret);
  process.kill(again.pid, 'SIGTERM');
  await again.exited;
}, 30_000);

it('uses the given secrets for webhooks, and makes none', async () => {
  const { system, lines, line, get } = await setup({ WEBHOOK_SECRETS: 'whsec_given' });
  await line(/^ready/);
  expect(await get('/webhook-secrets')).toBe('whsec_given');
  expect(lines.filter((text) => text.includes('hooks:'))).toEqual([]);
  await expect(access(join(folder, 'webhook-secrets'))).rejects.toThrow('ENOENT');
  process.kill(system.pid, 'SIGTERM');
  await system.exited;
}, 30_000);

it.each(['', 'a-secret-that-is-given'])(
  'gives every process one secret for event tokens: %j',
  async (given) => {
    const { system, line, get, apiPort, lines } = await setup({ EVENT_TOKEN_SECRET: given });
    await line(/^ready/);
    const secret = await get('/event-token-secret');
    expect(secret).toMatch(given === '' ? /^[0-9a-f]{64}$/ : given);
    expect(await (await fetch(`http://127.0.0.1:${apiPort}/event-token-secret`)).text()).toBe(secret);
    expect(lines.join('\n')).not.toContain(secret);
    process.kill(system.pid, 'SIGTERM');
    await system.exited;
  },
  30_000,
);

it.each([
  ['', 'undefined'],
  ['1', 'true'],
])(
  'lets schemas be replaced only where sources are watched: WATCH=%j',
  async (WATCH, given) => {
    const { system, line, get } = await setup({ WATCH });
    await line(/^ready/);
    expect(await get('/replace-schemas')).toBe(given);
    process.kill(system.pid, 'SIGTERM');
    await system.exited;
  },
  30_000,
);

it('stops with exit code 1 when a process refuses its configuration', async () => {
  const { system, lines } = await setup({ BAD_CONFIGURATION: 'worker-2' });
  expect(await system.exited).toEqual({ code: 1, signal: null });
  const said = lines.filter((text) => text.startsWith('worker-2'));
  expect(said).toEqual([
    'worker-2   | the configuration is wrong',
    'worker-2   | refuses its configuration (exit code 78), the reason is above: stopping',
  ]);
}, 30_000);
