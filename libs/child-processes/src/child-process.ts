import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';

import { signalGroup } from './process-identity.ts';

/** Gets one line of a log, without its line feed. */
export type LineSink = (line: string) => void;

/** How a process ended. */
export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** Options of {@link startChild}. */
export interface ChildOptions {
  env: NodeJS.ProcessEnv;
  /** @default the current folder */
  cwd?: string | undefined;
  /** User and group of the child. Only root may set them. @default those of this process */
  account?: { uid: number; gid: number } | undefined;
  /** Kills the child with its group when the signal fires. */
  abort?: AbortSignal | undefined;
  /** Gets each line of stdout and stderr. */
  onLine: LineSink;
}

/** A running child. It leads its own process group, so Ctrl-C in the terminal reaches this process alone. */
export interface Child {
  readonly pid: number;
  /** Resolves when the child has ended. Never rejects. */
  readonly exited: Promise<Exit>;
  /** The last 40 lines of its output, for error messages. */
  tail(): string;
  /** Sends `signal`, and SIGKILL to the whole group after `graceMs` milliseconds. Resolves when the child has ended. */
  stop(signal: NodeJS.Signals, graceMs: number): Promise<void>;
}

const TAIL_LINES = 40;
const running = new Set<number>();

/**
 * Starts a program. Resolves when the operating system has started it. The end of this process ends the child, except
 * after SIGKILL.
 *
 * @throws Error with the system's code (ENOENT, EACCES) when the start fails
 * @throws AbortError when `abort` has fired before
 */
export async function startChild(command: string, args: readonly string[], options: ChildOptions): Promise<Child> {
  const { env, cwd, account, abort, onLine } = options;
  abort?.throwIfAborted();
  const child = spawn(command, args, { env, cwd, ...account, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  await new Promise((resolve, reject) => child.once('spawn', resolve).once('error', reject));
  const pid = child.pid as number;
  running.add(pid);
  const kill = () => signalGroup(pid, 'SIGKILL');
  if (abort?.aborted) kill();
  abort?.addEventListener('abort', kill);

  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream, crlfDelay: Infinity }).on('line', (line) => {
      lines.push(line);
      if (lines.length > TAIL_LINES) lines.shift();
      onLine(line);
    });
  }

  const exited = new Promise<Exit>((resolve) => {
    child.once('exit', (code, signal) => {
      running.delete(pid);
      abort?.removeEventListener('abort', kill);
      // "close" waits until all output is read. Do not wait for a grandchild that keeps the pipe open.
      const done = () => resolve({ code, signal });
      child.once('close', done);
      setTimeout(done, 500).unref();
    });
  });

  return {
    pid,
    exited,
    tail: () => lines.join('\n'),
    async stop(signal, graceMs) {
      if (running.has(pid)) {
        process.kill(pid, signal);
        const ended = await Promise.race([exited, delay(graceMs, undefined, { ref: false })]);
        if (ended === undefined) kill();
      }
      await exited;
    },
  };
}

/** Kills all running children with their groups. */
export function killChildren(): void {
  for (const pid of running) signalGroup(pid, 'SIGKILL');
}

process.on('exit', killChildren);

/** Describes the end of a process: `code 1` or `signal SIGKILL`. */
export function describeExit({ code, signal }: Exit): string {
  return signal === null ? `code ${code}` : `signal ${signal}`;
}
