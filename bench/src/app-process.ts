import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '@offload/child-processes';
import { clockOffsetMs } from './clock.ts';

/** Root folder of this checkout. */
export const root = join(import.meta.dirname, '../..');
const READY_TIMEOUT_MS = 60_000;
const END_TIMEOUT_MS = 15_000;
/**
 * Code that is loaded into measured processes. It collects garbage on demand, so that memory in use can be measured. It
 * ends the process with this one, because standard input ends. It adjusts `performance.timeOrigin` to the bench's
 * clock.
 */
const attachment = `data:text/javascript,
  process.on('SIGUSR2', () => { gc(); gc(); console.log('{"msg":"collected"}'); });
  const origins = Array.from({ length: 20 }, () => Number(process.hrtime.bigint()) / 1e6 - performance.now());
  Object.defineProperty(performance, 'timeOrigin', { value: Math.max(...origins) + Number(process.env.CLOCK_OFFSET_MS) });
  process.stdin.on('end', () => process.kill(process.pid, 'SIGKILL')).resume().unref();`;

/** A running api, worker or notifier to measure. */
export interface AppProcess {
  /** `http://127.0.0.1:<port>` */
  url: string;
  pid: number;
  /** Collects garbage. Resolves when that is done. */
  collect(): Promise<void>;
  /** Reads its metrics without labels. @returns a function from a name to its value */
  figures(): Promise<(name: string) => number>;
  end(): Promise<void>;
}

/** A program that listens on a given port and answers `/readyz`. */
export interface Program {
  /** Name for people. */
  name: string;
  /** The JavaScript file, from the repository's root. */
  file: string;
  /** Root folder of the repository. @default this checkout */
  folder?: string;
  args?: string[];
  /** Options of Node.js. @default none */
  options?: string[];
  env: Record<string, string>;
  /** Name of the variable for the port. */
  portVariable: string;
}

/** A running program to measure. */
export type ProgramProcess = Pick<AppProcess, 'url' | 'pid' | 'end'> & {
  /** Milliseconds from its start until it was ready. */
  startedMs: number;
};

/** Compiles an app with its libraries, as in production. It takes less memory than from source. */
export async function build(app: string, folder = root): Promise<void> {
  const compiler = spawn(process.execPath, ['node_modules/typescript/bin/tsc', '-b', `apps/${app}/tsconfig.lib.json`], {
    cwd: folder,
    stdio: 'inherit',
  });
  await succeed(compiler, 'the compiler');
}

/** Compiles the programs of the peers. */
export async function buildPeers(): Promise<void> {
  const args = ['node_modules/typescript/bin/tsc', '-b', 'bench/tsconfig.peers.json'];
  await succeed(spawn(process.execPath, args, { cwd: root, stdio: 'inherit' }), 'the compiler');
}

/** Applies the migrations, and registers the job types if the worker is built. */
export async function migrate(env: Record<string, string>, folder = root): Promise<void> {
  await succeed(run('libs/database/dist/run-migrations.js', env, [], [], folder), 'the migrations');
  const worker = join(folder, 'apps/worker/dist/main.js');
  // Older checkouts have no registration: their apis know the job types.
  if (!existsSync(worker) || !readFileSync(worker, 'utf8').includes('--register-types')) return;
  const given = { AMQP_URL: 'amqp://unused', LOG_LEVEL: 'warn', ...env };
  await succeed(
    run('apps/worker/dist/main.js', given, [], ['--register-types'], folder),
    'the registration of job types',
  );
}

/** Starts a compiled app. Resolves when it is ready. It ends with this process. */
export async function startApp(
  app: 'api' | 'worker' | 'notifier',
  env: Record<string, string>,
  options: string[] = [],
): Promise<AppProcess> {
  const child = run(`apps/${app}/dist/main.js`, env, options);
  const lines = createInterface({ input: child.stdout });
  const line = (wanted: string): Promise<{ port?: number }> =>
    new Promise((resolve, reject) => {
      const onLine = (text: string): void => {
        if (!text.startsWith('{')) return;
        const read = JSON.parse(text) as { msg: string; port?: number };
        if (read.msg !== wanted) return;
        lines.off('line', onLine);
        child.off('exit', onExit);
        resolve(read);
      };
      const onExit = (code: number | null): void => reject(new Error(`the ${app} ended with code ${code}`));
      lines.on('line', onLine);
      child.once('exit', onExit);
    });
  const { port } = await line('listening');
  const url = `http://127.0.0.1:${port}`;
  await untilReady(child, url, app);
  const pid = child.pid as number;

  return {
    url,
    pid,
    async collect() {
      const collected = line('collected');
      process.kill(pid, 'SIGUSR2');
      await collected;
    },
    async figures() {
      const text = await (await fetch(`${url}/metrics`)).text();
      return (name) => Number(new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1]);
    },
    end: () => end(child),
  };
}

/**
 * Starts a program, and ignores its log. Resolves when it is ready. It ends with this process.
 *
 * @throws Error when it ends before, or is not ready within a minute
 */
export async function startProgram(program: Program): Promise<ProgramProcess> {
  const { name, file, folder, args = [], options = [], env, portVariable } = program;
  const port = await freePort();
  const from = performance.now();
  const child = run(file, { ...env, [portVariable]: String(port) }, options, args, folder);
  createInterface({ input: child.stdout }).on('line', (line) => process.stderr.write(`${name}: ${line}\n`));
  const url = `http://127.0.0.1:${port}`;
  await untilReady(child, url, name);
  return { url, pid: child.pid as number, startedMs: performance.now() - from, end: () => end(child) };
}

/** @throws Error when the program ends before it is ready, or is not ready within a minute */
async function untilReady(child: ChildProcess, url: string, name: string): Promise<void> {
  const from = performance.now();
  while (!(await isReady(url))) {
    if (hasEnded(child)) throw new Error(`${name} ended with code ${child.exitCode ?? child.signalCode}`);
    if (performance.now() - from > READY_TIMEOUT_MS) {
      child.kill('SIGKILL');
      throw new Error(`${name} was not ready within ${READY_TIMEOUT_MS / 1_000} s`);
    }
    await delay(10);
  }
}

const hasEnded = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null;

async function isReady(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/readyz`);
    return ((await response.json()) as { status: string }).status === 'ready';
  } catch {
    return false; // it does not listen yet
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const killed = setTimeout(() => child.kill('SIGKILL'), END_TIMEOUT_MS);
  await exited;
  clearTimeout(killed);
}

function run(file: string, env: Record<string, string>, options: string[], args: string[] = [], folder = root) {
  return spawn(process.execPath, [...options, '--expose-gc', '--import', attachment, file, ...args], {
    cwd: folder,
    env: { PATH: process.env['PATH'] ?? '', NODE_ENV: 'production', CLOCK_OFFSET_MS: String(clockOffsetMs), ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
}

async function succeed(child: ChildProcess, what: string): Promise<void> {
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`${what} ended with code ${code}`);
}
