// The door @offload/process/config: reads the environment variables of a process.
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { z } from 'zod';

/**
 * Longest SHUTDOWN_GRACE_MS. No job runs for a day, and a day plus the seconds that `handleShutdown` adds fits a timer.
 */
const DAY_MS = 24 * 60 * 60 * 1_000;
const EX_CONFIG = 78; // sysexits.h: something was found in an unconfigured or misconfigured state

/** Makes the schema of a TCP port with this default. 0 lets the operating system choose. */
export const port = (preset: number) => z.coerce.number().int().min(0).max(65_535).default(preset);

/** Makes the schema of a whole number from `min` to `max`, with this default. */
export const integer = (preset: number, min = 0, max = 2 ** 31 - 1) =>
  z.coerce.number().int().min(min).max(max).default(preset);

/** Makes the schema of `true` or `false`, with this default. */
export const flag = (preset: boolean) =>
  z
    .enum(['true', 'false'])
    .default(preset ? 'true' : 'false')
    .transform((text) => text === 'true');

/** Makes the schema of an http(s) base URL, with this default. A final slash is removed. */
export const baseUrl = (preset: string) =>
  z
    .url({ protocol: /^https?$/, hostname: /./, error: 'must be an http:// or https:// URL' })
    .default(preset)
    .transform((url) => url.replace(/\/$/, ''));

/** Makes the schema of a comma-separated list with at least one entry, each of which must fit `entry`. */
export const list = (preset: string, entry: z.ZodType<string, string>) =>
  z
    .string()
    .default(preset)
    .transform((text) => text.split(',').map((each) => each.trim()))
    .pipe(z.array(entry).min(1));

/**
 * The variables of every process; spread it into the process's own schema. The descriptions of all schemas become
 * docs/configuration.md and .env.example (`npm run documents`): their first sentence says what the variable sets.
 */
export const processVariables = {
  LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
    .default('info')
    .describe('Lowest level that the process logs.'),
  INSTANCE: z
    .string()
    .min(1)
    .optional()
    .describe(
      "Name of the process in logs and on RabbitMQ's management page. " +
        'The default has kind, host and process id. `npm start` sets its own.',
    ),
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/, hostname: /./, error: 'must be a postgresql:// URL' }).meta({
    description:
      'URL of PostgreSQL, whose database has the encoding UTF8. ' +
      '`npm start` runs a PostgreSQL of its own unless you set it; compose always has its own. ' +
      'PgBouncer may stand in between, in session or transaction mode.',
    examples: ['postgresql://user:password@127.0.0.1:5432/offload'],
  }),
  DATABASE_POOL_SIZE: integer(10, 1).describe('Most connections that each process opens to PostgreSQL.'),
  AMQP_URL: z.url({ protocol: /^amqps?$/, hostname: /./, error: 'must be an amqp:// or amqps:// URL' }).meta({
    description:
      'URL of RabbitMQ. ' + '`npm start` runs a RabbitMQ of its own unless you set it; compose always has its own.',
    examples: ['amqp://user:password@127.0.0.1:5672'],
  }),
  AMQP_CA_FILE: z
    .string()
    .transform(readCertificate)
    .optional()
    .describe(
      "PEM file of the authority that signed RabbitMQ's certificate, for an `amqps://` URL. " +
        'The default is the list of authorities in Node.js.',
    ),
  SHUTDOWN_GRACE_MS: integer(10_000, 0, DAY_MS).describe(
    'How long running work may go on after SIGTERM. `npm start` allows 3000 at most.',
  ),
};

/**
 * Parses the environment. An empty variable counts as not set.
 *
 * @returns the configuration, or the faults with one line for each variable
 */
export function parseConfig<Schema extends z.ZodObject>(
  schema: Schema,
  environment: NodeJS.ProcessEnv,
): { config: z.output<Schema> } | { faults: string[] } {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const parsed = schema.safeParse(given);
  if (parsed.success) return { config: parsed.data };
  return {
    faults: parsed.error.issues.map(({ path: [variable], message }) => {
      if (variable === undefined) return message; // a fault of the whole configuration
      const name = String(variable);
      if (given[name] === undefined) return `${name} is not set: ${message}`;
      const isSecret = /_(URL|SECRETS?|ENDPOINTS|KEYS)$/.test(name); // URLs contain passwords, endpoints contain secrets
      return isSecret ? `${name}: ${message}` : `${name}=${given[name]}: ${message}`;
    }),
  };
}

/** Reads PEM certificates. A file that is not readable or has none is a fault. */
function readCertificate(file: string, context: z.RefinementCtx<string>): string {
  try {
    const pem = readFileSync(file, 'utf8');
    new X509Certificate(pem); // parses the first of several
    return pem;
  } catch (error) {
    context.addIssue(`must be a readable PEM file of certificates: ${(error as Error).message}`);
    return z.NEVER;
  }
}

/** Reads the configuration of this process. A wrong one ends the process with all faults on stderr and exit code 78. */
export function loadConfig<Schema extends z.ZodObject>(schema: Schema): z.output<Schema> {
  const outcome = parseConfig(schema, process.env);
  if ('config' in outcome) return outcome.config;
  process.stderr.write(`The configuration is wrong:\n${outcome.faults.map((fault) => `  ${fault}\n`).join('')}`);
  process.exit(EX_CONFIG);
}
