// The door @offload/process/config: variables of the environment, and how a process parses its own.
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { z } from 'zod';

/** The longest grace. No job runs for a day, and a day plus the seconds that `handleShutdown` adds fits into a timer. */
const DAY_MS = 24 * 60 * 60 * 1_000;
const EX_CONFIG = 78; // sysexits.h: something was found in an unconfigured or misconfigured state

/** A TCP port; 0 lets the system choose. */
export const port = (preset: number) => z.coerce.number().int().min(0).max(65_535).default(preset);

/** A whole number from `min` to `max`. */
export const integer = (preset: number, min = 0, max = 2 ** 31 - 1) =>
  z.coerce.number().int().min(min).max(max).default(preset);

/** `true` or `false`. */
export const flag = (preset: boolean) =>
  z
    .enum(['true', 'false'])
    .default(preset ? 'true' : 'false')
    .transform((text) => text === 'true');

/** An http(s) URL that paths are put behind; a final slash is dropped. */
export const baseUrl = (preset: string) =>
  z
    .url({ protocol: /^https?$/, hostname: /./, error: 'must be an http:// or https:// URL' })
    .default(preset)
    .transform((url) => url.replace(/\/$/, ''));

/** A comma-separated list of at least one entry, each of which must fit. */
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
 * Parses the environment once; an empty variable counts as not set.
 *
 * @returns the configuration, or the faults, one line a variable
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
      if (variable === undefined) return message; // of the configuration as a whole
      const name = String(variable);
      if (given[name] === undefined) return `${name} is not set: ${message}`;
      const isSecret = /_(URL|SECRETS?|ENDPOINTS|KEYS)$/.test(name); // URLs carry passwords, endpoints secrets
      return isSecret ? `${name}: ${message}` : `${name}=${given[name]}: ${message}`;
    }),
  };
}

/** Certificates in PEM; a file that can't be read or holds none is a fault. */
function readCertificate(file: string, context: z.RefinementCtx<string>): string {
  try {
    const pem = readFileSync(file, 'utf8');
    new X509Certificate(pem); // of several the first
    return pem;
  } catch (error) {
    context.addIssue(`must be a readable PEM file of certificates: ${(error as Error).message}`);
    return z.NEVER;
  }
}

/** The configuration of this process; a wrong one ends it with every fault on stderr and exit code 78. */
export function loadConfig<Schema extends z.ZodObject>(schema: Schema): z.output<Schema> {
  const outcome = parseConfig(schema, process.env);
  if ('config' in outcome) return outcome.config;
  process.stderr.write(`The configuration is wrong:\n${outcome.faults.map((fault) => `  ${fault}\n`).join('')}`);
  process.exit(EX_CONFIG);
}
