import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';

const root = join(import.meta.dirname, '../..');
/**
 * Collects garbage on demand, so that memory in use can be told from memory that was; and ends with this process, however
 * that ends, since standard input does.
 */
const attachment = `data:text/javascript,
  process.on('SIGUSR2', () => { gc(); gc(); console.log('{"msg":"collected"}'); });
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

/** Compiles an app, and what it is made of: as it is run in production, which takes less memory than from source. */
export async function build(app: string): Promise<void> {
  const compiler = spawn(process.execPath, ['node_modules/typescript/bin/tsc', '-b', `apps/${app}/tsconfig.lib.json`], {
    cwd: root,
    stdio: 'inherit',
  });
  await succeed(compiler, 'the compiler');
}

/** Applies the migrations. */
export async function migrate(env: Record<string, string>): Promise<void> {
  await succeed(run('libs/database/dist/run-migrations.js', env, []), 'the migrations');
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
  const isReady = async () => ((await (await fetch(`${url}/readyz`)).json()) as { status: string }).status === 'ready';
  while (!(await isReady())) await delay(50);
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
    async end() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await exited;
    },
  };
}

function run(file: string, env: Record<string, string>, options: string[]) {
  return spawn(process.execPath, [...options, '--expose-gc', '--import', attachment, file], {
    cwd: root,
    env: { PATH: process.env['PATH'] ?? '', NODE_ENV: 'production', ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
}

async function succeed(child: ChildProcess, what: string): Promise<void> {
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`${what} ended with code ${code}`);
}
