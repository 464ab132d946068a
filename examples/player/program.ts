import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { PassThrough } from 'node:stream';

/**
 * A running program of a lesson. Its lines are queued until the play reads them, and only then written to the
 * transcript. So the transcript has the order of the play, at any speed of the programs.
 */
export interface Program {
  /** Whether it is still running. */
  readonly alive: boolean;
  /** Whether it has ended and all its lines are read. */
  readonly over: boolean;
  /** Reads its lines up to one with these words. Rejects when it ends before, or after 30 s. */
  prints(words: string): Promise<void>;
  pressEnter(): void;
  /** Sends Ctrl-C, and reads the rest of its lines. */
  stop(): Promise<void>;
  /** Sends SIGKILL, and reads the rest of its lines. */
  kill(): Promise<void>;
  /** Reads the rest of its lines, and writes its exit code unless that is 0. Resolves with whether it is 0. */
  ends(): Promise<boolean>;
}

/** What `startProgram` needs. */
export interface ProgramOptions {
  /** Path of the program, from the repository's root. */
  file: string;
  /** what runs it, where it is no TypeScript */
  interpreter?: string;
  args: readonly string[];
  env: NodeJS.ProcessEnv;
  /** Kills the program when it fires. */
  abort: AbortSignal;
  /** Gets each line that is read. */
  write(line: string): void;
}

/** The last line of a killed program. */
export const KILLED = '(killed)';

const root = join(import.meta.dirname, '../..');
const PATIENCE_MS = 30_000;
const running = new Set<ChildProcess>();

process.on('exit', () => running.forEach(killGroup));

export function startProgram({ file, interpreter, args, env, abort, write }: ProgramOptions): Program {
  abort.throwIfAborted();
  const [command, options] = interpreter
    ? [interpreter, []]
    : [process.execPath, ['--import', 'tsx', '--conditions=@offload/source']];
  // In a process group of its own: the terminal's Ctrl-C is for the player.
  const child = spawn(command, [...options, file, ...args], { cwd: root, env, detached: true });
  running.add(child);
  const kill = (): void => killGroup(child);
  abort.addEventListener('abort', kill);
  const output = new PassThrough();
  for (const stream of [child.stdout, child.stderr]) stream.pipe(output, { end: false });
  const closed = once(child, 'close').finally(() => {
    running.delete(child);
    abort.removeEventListener('abort', kill);
    output.end();
  });
  child.stdin.on('error', () => undefined); // the program has ended, as its reader finds out
  const lines = createInterface({ input: output })[Symbol.asyncIterator]();
  let over = false;

  /** @returns undefined at the end */
  async function read(waitingFor: string): Promise<string | undefined> {
    const { value, done } = await within(PATIENCE_MS, lines.next(), `${file} did not ${waitingFor}`);
    if (done) return undefined;
    write(value);
    return value;
  }

  async function readRest(): Promise<unknown> {
    while ((await read('end')) !== undefined);
    const [code, signal] = await closed;
    over = true;
    return signal ?? code;
  }

  const program: Program = {
    get alive() {
      return child.exitCode === null && child.signalCode === null;
    },
    get over() {
      return over;
    },
    async prints(words) {
      for (;;) {
        const line = await read(`print "${words}"`);
        if (line === undefined) throw new Error(`${file} ended before it printed "${words}"`);
        if (line.includes(words)) return;
      }
    },
    pressEnter: () => void child.stdin.write('\n'),
    async stop() {
      child.kill('SIGINT');
      await program.ends();
    },
    async kill() {
      kill();
      await readRest();
      write(KILLED);
    },
    async ends() {
      const how = await readRest();
      if (how !== 0) write(`(ended with ${how})`);
      return how === 0;
    },
  };
  return program;
}

function killGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error; // the process has ended already
  }
}

async function within<T>(ms: number, work: Promise<T>, failure: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${failure} within ${ms / 1_000} s`)), ms);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
