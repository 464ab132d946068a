// Reads DATA_DIR/servers.json, in which `npm start` writes the URLs of its servers, for programs without configuration.
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseEnv } from 'node:util';

const root = join(import.meta.dirname, '..');

/**
 * @returns the members of servers.json, such as DATABASE_URL and AMQP_URL. It is empty while no `npm start` runs, or
 * when
 *   the file belongs to another user.
 */
export function serversOfStart() {
  const dataDir = process.env.DATA_DIR || parseEnv(read(join(root, '.env'))).DATA_DIR || '.offload';
  try {
    return JSON.parse(read(join(resolve(root, dataDir), 'servers.json')));
  } catch {
    return {}; // the file is missing or incomplete
  }
}

function read(file) {
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}
