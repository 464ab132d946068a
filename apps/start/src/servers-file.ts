import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The variables with which another program, such as `npm run doctor`, reaches the servers of a running system. */
const VARIABLES = ['DATABASE_URL', 'AMQP_URL', 'AMQP_CA_FILE', 'QUEUES'] as const;

/**
 * Writes `servers.json` to the folder: an object with the set variables. Only its owner may read it, because it has
 * passwords. It replaces the file of a killed run.
 */
export function tellServers(folder: string, env: NodeJS.ProcessEnv): void {
  forgetServers(folder);
  const told = Object.fromEntries(VARIABLES.map((name) => [name, env[name]]).filter(([, value]) => value));
  writeFileSync(fileIn(folder), `${JSON.stringify(told, null, 2)}\n`, { flag: 'wx', mode: 0o600 });
}

/** Removes the file if it exists. */
export function forgetServers(folder: string): void {
  rmSync(fileIn(folder), { force: true });
}

function fileIn(folder: string): string {
  return join(folder, 'servers.json');
}
