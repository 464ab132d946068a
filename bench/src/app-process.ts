import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '@offload/child-processes';
import { clockOffsetMs } from './clock.ts';

/** This checkout. */
export const root = join(import.meta.dirname, '../..');
const READY_TIMEOUT_MS = 60_000;
const END_TIMEOUT_MS = 15_000;
/**
 * Collects garbage on demand, so that memory in use can be told from memory that was; ends with this process, however that
 * ends, since standard input does; and has `performance.timeOrigin + performance.now()` tell the time by the bench's clock.
 */
const attachment = `data:text/javascript,
  process.on('SIGUSR2', () => { gc(); gc(); console.log('{"msg":"collected"}'); });
  const origins = Array.from({ length: 20 }, () => Number(process.hrtime.bigint()) / 1e6 - performance.now());
  Object.defineProperty(performance, 'timeOrigin', { value: Math.max(...origins) + Number(process.env.CLOCK_OFFSET_MS) });
  process.stdin.on('end', () => process.kill(process.pid, 'SIGKILL')).resume().unref();`;

/** An api, worker or notifier under measurement. */
export interface AppProcess {
  /** `http://127.0.0.1:<port>` */
  url: string;
  pid: number;
  /** Resolves when it has collected its garbage. */
  collect(): Promise<void>;
  /** The values of its metrics that have no labels, by name. */
  figures(): Promise<(name: string) => number>;
  end(): Promise<void>;
}

/** A program that serves on a port it is told, and says at `/readyz` when it is ready. */
export interface Program {
  /** For people. */
  name: string;
  /** The JavaScript file, from the repository's root. */
  file: string;
  /** The repository's root. @default this one's */
  folder?: string;
  args?: string[];
  /** Of Node.js. @default none */
  options?: string[];
  env: Record<string, string>;
  /** The variable that takes the port. */
  portVariable: string;
}

/** A program under measurement. */
export type ProgramProcess = Pick<AppProcess, 'url' | 'pid' | 'end'> & {
  /** From its spawning until it was ready, in milliseconds. */
  startedMs: number;
};

/** Compiles an app, and what it is made of: as it is run in production, which takes less memory than from source. */
export async function build(app: string, folder = root): Promise<void> {
  const compiler = spawn(process.execPath, ['node_modules/typescript/bin/tsc', '-b', `apps/${app}/tsconfig.lib.json`], {
    cwd: folder,
    stdio: 'inherit',
  });
  await succeed(compiler, 'the compiler');
}

/** Compiles the programs of the peers, likewise. */
export async function buildPeers(): Promise<void> {
  const args = ['node_modules/typescript/bin/tsc', '-b', 'bench/tsconfig.peers.json'];
  await succeed(spawn(process.execPath, args, { cwd: root, stdio: 'inherit' }), 'the compiler');
}

/** Applies the migrations, and makes the job types known where the worker was built. */
export async function migrate(env: Record<string, string>, folder = root): Promise<void> {
  await succeed(run('libs/database/dist/run-migrations.js', env, [], [], folder), 'the migrations');
  const worker = join(folder, 'apps/worker/dist/main.js');
  // In checkouts of before, apis know the job types without that.
  if (!existsSync(worker) || !readFileSync(worker, 'utf8').includes('--register-types')) return;
  const given = { AMQP_URL: 'amqp://unused', LOG_LEVEL: 'warn', ...env };
  await succeed(
    run('apps/worker/dist/main.js', given, [], ['--register-types'], folder),
    'the registration of job types',
  );
}

/** Starts one that was built; resolves once it is ready. It ends with this process, however that is. */
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
 * Starts a program, whatever it logs; resolves once it is ready. It ends with this process, however that is.
 *
 * @throws Error when it ends before that, or is not ready within a minute
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

/** @throws Error when it ends before it is ready, or is not within a minute */
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
