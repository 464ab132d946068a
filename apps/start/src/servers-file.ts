import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What another program has to know to reach the servers of a running system, as `npm run doctor` does. */
const VARIABLES = ['DATABASE_URL', 'AMQP_URL', 'AMQP_CA_FILE', 'QUEUES'] as const;

/**
 * Leaves `servers.json` in the folder: what is set of these variables, as an object. Only its owner may read it, since
 * there are passwords in it. What a run that was killed has left is replaced.
 */
export function tellServers(folder: string, env: NodeJS.ProcessEnv): void {
  forgetServers(folder);
  const told = Object.fromEntries(VARIABLES.map((name) => [name, env[name]]).filter(([, value]) => value));
  writeFileSync(fileIn(folder), `${JSON.stringify(told, null, 2)}\n`, { flag: 'wx', mode: 0o600 });
}

/** Removes the file, if it is there. */
export function forgetServers(folder: string): void {
  rmSync(fileIn(folder), { force: true });
}

function fileIn(folder: string): string {
  return join(folder, 'servers.json');
}
