import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const PROGRAM = join(import.meta.dirname, '../fixtures/knock.mjs');

export type Knock = readonly [what: 'read' | 'connect' | 'postgres' | 'amqp' | 'http', ...args: (string | number)[]];

/** An account that owns nothing of ours: only root can take its part. */
export const stranger = process.getuid?.() === 0 ? { uid: 65_533, gid: 65_533 } : undefined;

/**
 * Tries to get in; see fixtures/knock.mjs for what there is to try, and for the answers.
 * @param account whose part is taken @default our own
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
