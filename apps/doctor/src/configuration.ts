import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { queueName } from '@offload/jobs';
import { processVariables, list, parseConfig } from '@offload/process/config';
import { z } from 'zod';

const { DATABASE_URL, AMQP_URL, AMQP_CA_FILE } = processVariables;
const configSchema = z.object({ DATABASE_URL, AMQP_URL, AMQP_CA_FILE, QUEUES: list('default', queueName) });

export type Configuration = z.output<typeof configSchema> & {
  /** The file that the servers' URLs come from, where it is not the environment. */
  serversFile: string | null;
};

const NEEDS_SERVERS =
  'Run it beside `npm start`, which tells it where its servers are, or set DATABASE_URL and AMQP_URL both; ' +
  'in compose: docker compose run --rm doctor';

/**
 * The configuration: out of the environment, then the file `.env`, then what a running `npm start` has left in
 * `servers.json` in its folder. That file counts only where it does not contradict what is set: the database of one system
 * must not be compared with the broker of another.
 *
 * @param root the repository's
 * @returns the configuration, or what is wrong with it, as text
 */
export function readConfiguration(given: NodeJS.ProcessEnv, root: string): Configuration | { faults: string } {
  const environment = { ...parseEnv(readIfThere(join(root, '.env')) ?? ''), ...given };
  const file = join(resolve(root, environment['DATA_DIR'] || '.offload'), 'servers.json');
  const isSet = (name: string): boolean => Boolean(environment[name]);
  const complete = isSet('DATABASE_URL') && isSet('AMQP_URL');
  const left = complete ? null : serversOf(file);
  const contradicts = Object.entries(left ?? {}).some(
    ([name, value]) => name.endsWith('_URL') && isSet(name) && environment[name] !== value,
  );
  const used = left && !contradicts ? left : null;
  const missing = Object.entries(used ?? {}).filter(([name]) => !isSet(name));

  const outcome = parseConfig(configSchema, { ...environment, ...Object.fromEntries(missing) });
  if ('config' in outcome) return { ...outcome.config, serversFile: used && file };
  const faults = ['The configuration is wrong:', ...outcome.faults.map((each) => `  ${each}`)];
  if (!complete && !used) faults.push(NEEDS_SERVERS);
  return { faults: faults.join('\n') };
}

/** What `npm start` has left: variables and their values. Null when there is nothing of the kind. */
function serversOf(file: string): Record<string, string> | null {
  const text = readIfThere(file);
  if (text === null) return null;
  try {
    return z.record(z.string(), z.string()).parse(JSON.parse(text));
  } catch {
    return null; // half written: `npm start` is only just beginning
  }
}

function readIfThere(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
