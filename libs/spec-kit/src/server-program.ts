import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const ROOT = join(import.meta.dirname, '../../..');

/** A child program that runs a server. */
export interface ServerProgram {
  /** Resolves with the answer's value. Rejects with its error, or when the program has ended. */
  ask(...request: unknown[]): Promise<unknown>;
  /** Ends the program, which removes its server. */
  end(): Promise<void>;
}

/**
 * Runs a program of libs/spec-kit/src/servers. Its requests and answers are lines of JSON: see requests.ts there. The
 * program ends when this process has ended in any way. It is started by its path, not imported.
 *
 * @param what name of its server, for messages
 */
export function runServerProgram(file: string, what: string): ServerProgram {
  const program = join(ROOT, 'libs/spec-kit/src/servers', file);
  const child = spawn(process.execPath, ['--import', 'tsx', '--conditions=@offload/source', program], {
    cwd: ROOT,
    env: { ...process.env, NODE_OPTIONS: '' }, // Jest's options for ESM would make it warn
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true, // Ctrl-C reaches Jest, and this one through its standard input
  });
  const exited = once(child, 'exit');
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  let messages = '';
  child.stderr.on('data', (chunk) => (messages = `${messages}${chunk}`.slice(-4_000)));
  child.stdin.on('error', () => undefined); // the program has ended, so there is no answer either
  // A test may forget to remove the server. Do not keep this process alive for it: its end removes the server.
  for (const handle of [child, child.stdin, child.stdout, child.stderr]) (handle as Socket).unref();

  return {
    async ask(...request) {
      child.stdin.write(`${JSON.stringify(request)}\n`);
      child.ref();
      const line = await answers.next().finally(() => child.unref());
      if (line.done) throw new Error(`There is no ${what} any more. ${messages}`);
      const { value, error } = JSON.parse(line.value) as { value?: unknown; error?: string };
      if (error !== undefined) throw new Error(error);
      return value;
    },
    async end() {
      child.ref();
      child.stdin.end();
      await exited;
    },
  };
}
