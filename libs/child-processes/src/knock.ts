import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const PROGRAM = join(import.meta.dirname, '../fixtures/knock.mjs');

/** One attempt to get access; see fixtures/knock.mjs. */
export type Knock = readonly [what: 'read' | 'connect' | 'postgres' | 'amqp' | 'http', ...args: (string | number)[]];

/** An account that owns no file of Offload. Only root can run a program with it, so it is undefined for other users. */
export const stranger = process.getuid?.() === 0 ? { uid: 65_533, gid: 65_533 } : undefined;

/**
 * Tries to get access. fixtures/knock.mjs lists the attempts and their answers.
 *
 * @param account the user and group for the attempts. @default those of this process
 */
export function knock(knocks: readonly Knock[], account?: { uid: number; gid: number }): Promise<unknown[]> {
  const options = { ...account, cwd: '/', env: { KNOCKS: JSON.stringify(knocks) } };
  return new Promise((resolve, reject) => {
    const child = execFile(process.execPath, ['--input-type=module', '-'], options, (error, stdout) =>
      error ? reject(error) : resolve(JSON.parse(stdout) as unknown[]),
    );
    child.stdin?.end(readFileSync(PROGRAM));
  });
}
