import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** The worker under test, as a process. */
export interface WorkerProcess {
  /** What it is told to call itself: the holder of its jobs. */
  readonly instance: string;
  readonly alive: boolean;
  /** What it has written. */
  readonly output: string;
  /** Sends the signal to it, and to what it has started. */
  signal(name: 'SIGKILL' | 'SIGTERM'): void;
  /** Resolves when it has ended, to its exit code; null when a signal ended it. */
  readonly exited: Promise<number | null>;
}

const inherited = ['PATH', 'HOME', 'TMPDIR', 'TEMP', 'SystemRoot', 'PYENV_VERSION'];

export function startWorkerProcess(
  [program = '', ...args]: readonly string[],
  instance: string,
  env: Record<string, string>,
): WorkerProcess {
  const basis = Object.fromEntries(inherited.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])));
  const child = spawn(program, args, {
    env: { ...basis, ...env, INSTANCE: instance, PYTHONDONTWRITEBYTECODE: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true, // a process group of its own
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)));
  const exited = once(child, 'close').then(([code]) => code as number | null);
  exited.catch(() => undefined); // a caller that waits for `exited` gets the error
  function signal(name: 'SIGKILL' | 'SIGTERM'): void {
    try {
      process.kill(-(child.pid as number), name);
    } catch {
      // it has ended, or never began
    }
  }
  const killWithUs = (): void => signal('SIGKILL');
  process.on('exit', killWithUs);
  void exited.finally(() => process.off('exit', killWithUs)).catch(() => undefined);
  return {
    instance,
    signal,
    exited,
    get alive() {
      return child.exitCode === null && child.signalCode === null && child.pid !== undefined;
    },
    get output() {
      return output;
    },
  };
}
