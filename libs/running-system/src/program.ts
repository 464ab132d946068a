import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { stripVTControlCharacters } from 'node:util';

/** The root folder of the repository. */
export const repository = join(import.meta.dirname, '../../..');

/** Environment variables of a process, by name. */
export type Environment = Record<string, string>;

/** One line of a process's log, as pino writes it. */
export interface LogLine {
  level: string;
  msg: string;
  [member: string]: unknown;
}

/** The end of a program. */
export interface Exit {
  /** The exit code; null when a signal ended the program. */
  code: number | null;
  /** All that the program has written to stdout and stderr. */
  output: string;
}

/** A TypeScript file of this repository that runs as a process of its own. */
export interface Program {
  readonly file: string;
  readonly pid: number;
  /** The lines so far, while the program runs. Lines that are not JSON are only in `Exit.output`. */
  readonly log: readonly LogLine[];
  /** Resolves with the first line for which `matches` is true. Rejects with the output when the program ends before. */
  line(matches: (line: LogLine) => boolean): Promise<LogLine>;
  /** Resolves with the first match in the output, without colours. Rejects like `line`. */
  text(pattern: RegExp): Promise<string>;
  readonly exited: Promise<Exit>;
  /** Sends the signal. Resolves with the exit code when the process has ended: null when the signal ended it. */
  kill(signal: 'SIGKILL' | 'SIGTERM' | 'SIGINT'): Promise<number | null>;
}

/** The inherited variables. Others of the developer's environment would change results. */
const inherited = ['PATH', 'HOME', 'TMPDIR', 'TEMP', 'SystemRoot'];

/** The files that tools/test-system.mjs compiles for a run of the tests. */
const COMPILED = /^(apps\/(?:api|worker|notifier)|libs\/database)\/src\/(.*)\.ts$/;

/** Node.js options that run a file of this repository, and end it with this process. */
function programArguments(file: string): string[] {
  if (process.env['TEST_COMPILED'] === 'true' && COMPILED.test(file))
    return ['--import', './libs/running-system/dist/lifeline.js', file.replace(COMPILED, '$1/dist/$2.js')];
  const loaders = ['--import', 'tsx', '--import', './libs/running-system/src/lifeline.ts'];
  return [...loaders, '--conditions=@offload/source', file];
}

/**
 * Runs `file`, a path from the repository's root, with exactly these variables. Proofs run it from source; specs run
 * the compiled file, as in a deployment.
 */
export function startProgram(file: string, env: Environment, args: string[] = []): Program {
  const basis = Object.fromEntries(inherited.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])));
  const child = spawn(process.execPath, [...programArguments(file), ...args], {
    cwd: repository,
    env: { ...basis, ...env },
  });
  const log: LogLine[] = [];
  const watchers = new Set<(line: LogLine) => void>();
  const readers = new Set<() => void>();
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (text) => {
      output += `${stripVTControlCharacters(text)}\n`;
      for (const reader of readers) reader();
      const line = parse(text);
      if (!line) return;
      log.push(line);
      for (const watcher of watchers) watcher(line);
    });
  }
  const exited = new Promise<Exit>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, output }));
  });

  const died = exited.then((exit): never => {
    throw new Error(`${file} ended with code ${exit.code}:\n${exit.output}`);
  });
  died.catch(() => undefined); // callers of `line` get the error

  return {
    file,
    pid: child.pid ?? -1,
    log,
    exited,
    async line(matches) {
      const found = log.find(matches);
      if (found) return found;
      const arrival = new Promise<LogLine>((resolve) => {
        watchers.add(function watcher(line) {
          if (!matches(line)) return;
          watchers.delete(watcher);
          resolve(line);
        });
      });
      return Promise.race([arrival, died]);
    },
    text(pattern) {
      const arrival = new Promise<string>((resolve) => {
        readers.add(function reader() {
          const [found] = pattern.exec(output) ?? [];
          if (found === undefined) return;
          readers.delete(reader);
          resolve(found);
        });
        for (const reader of readers) reader();
      });
      return Promise.race([arrival, died]);
    },
    async kill(signal) {
      child.kill(signal);
      return (await exited).code;
    },
  };
}

function parse(text: string): LogLine | null {
  if (!text.startsWith('{')) return null;
  try {
    return JSON.parse(text) as LogLine;
  } catch {
    return null; // a kill has cut the line
  }
}
