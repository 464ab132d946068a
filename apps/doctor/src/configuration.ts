import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { queueName } from '@offload/jobs';
import { processVariables, list, parseConfig } from '@offload/process/config';
import { z } from 'zod';

const { DATABASE_URL, AMQP_URL, AMQP_CA_FILE } = processVariables;
const configSchema = z.object({ DATABASE_URL, AMQP_URL, AMQP_CA_FILE, QUEUES: list('default', queueName) });

/** The configuration of the doctor. */
export type Configuration = z.output<typeof configSchema> & {
  /** The file from which the servers' URLs come; null if they come from the environment. */
  serversFile: string | null;
};

const NEEDS_SERVERS =
  'Run it beside `npm start`, which has the URLs of its servers, or set both DATABASE_URL and AMQP_URL; ' +
  'in compose: docker compose run --rm doctor';

/**
 * Reads the configuration from the environment, then the file `.env`, then the `servers.json` of a running `npm start`.
 * That last file counts only if it does not contradict the other variables. The database of one system must not be
 * compared with the broker of another.
 *
 * @param root root folder of the repository
 * @returns the configuration, or its faults as text
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

/** Reads the variables that `npm start` has written; null without a valid file. */
function serversOf(file: string): Record<string, string> | null {
  const text = readIfThere(file);
  if (text === null) return null;
  try {
    return z.record(z.string(), z.string()).parse(JSON.parse(text));
  } catch {
    return null; // incomplete: `npm start` is writing it
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
