import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';

import { signalGroup } from './process-identity.ts';

/** Takes one line of a log, without its line feed. */
export type LineSink = (line: string) => void;

/** How a process ended. */
export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface ChildOptions {
  env: NodeJS.ProcessEnv;
  /** @default the current folder */
  cwd?: string | undefined;
  /** user and group to run as; only root may give them @default those of this process */
  account?: { uid: number; gid: number } | undefined;
  /** kills the child with its group when it fires */
  abort?: AbortSignal | undefined;
  /** gets each line of stdout and stderr */
  onLine: LineSink;
}

/** A running child, leader of a process group of its own: Ctrl-C in the terminal reaches this process alone. */
export interface Child {
  readonly pid: number;
  /** resolves, never rejects, once the child has ended */
  readonly exited: Promise<Exit>;
  /** the last lines of its output, for the message when it fails */
  tail(): string;
  /** `signal`, and after `graceMs` SIGKILL to the whole group; resolves once it has ended */
  stop(signal: NodeJS.Signals, graceMs: number): Promise<void>;
}

const TAIL_LINES = 40;
const running = new Set<number>();

/**
 * Starts a program and resolves once the operating system has started it. However this process ends, short of SIGKILL, it
 * takes the child with it.
 * @throws Error with the system's code (ENOENT, EACCES) when that fails, an AbortError when `abort` has fired before
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
      // "close" comes when the output has been read to its end; a grandchild that holds the pipe must not delay us.
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

/** Kills every child that still runs, with its group. */
export function killChildren(): void {
  for (const pid of running) signalGroup(pid, 'SIGKILL');
}

process.on('exit', killChildren);

/** `code 1` or `signal SIGKILL` */
export function describeExit({ code, signal }: Exit): string {
  return signal === null ? `code ${code}` : `signal ${signal}`;
}
