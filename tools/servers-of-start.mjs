// What `npm start` has told of its servers in DATA_DIR/servers.json, for programs that are to find them without being
// told.
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseEnv } from 'node:util';

const root = join(import.meta.dirname, '..');

/**
 * @returns the members of servers.json: DATABASE_URL, AMQP_URL and others; none while no `npm start` runs, or when the
 *   file belongs to another user
 */
export function serversOfStart() {
  const dataDir = process.env.DATA_DIR || parseEnv(read(join(root, '.env'))).DATA_DIR || '.offload';
  try {
    return JSON.parse(read(join(resolve(root, dataDir), 'servers.json')));
  } catch {
    return {}; // there is none, or it is only just being written
  }
}

function read(file) {
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}
