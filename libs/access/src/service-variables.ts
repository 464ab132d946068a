import { isIPv4 } from 'node:net';
import { allowedHostNames, corsOrigins } from '@offload/http';
import { baseUrl, integer } from '@offload/process/config';
import { z } from 'zod';
import { apiKeys, type ApiKey } from './api-keys.ts';
import { eventTokenSecrets } from './event-tokens.ts';

/** The variables of every process that listens for HTTP. Spread it into the process's schema. */
export const serviceVariables = {
  HOST: z
    .string()
    .min(1)
    .default('127.0.0.1')
    .describe(
      'Address to listen on. ' +
        'An address beyond loopback needs API_KEYS, or AUTH=off. ' +
        'In compose it is 0.0.0.0, and compose publishes the ports on 127.0.0.1 alone.',
    ),
  API_KEYS: apiKeys
    .default([])
    .describe(
      'Who may use api and notifier, separated by commas: `name:scope+scope:hash`, as `npm run api-key` prints it. ' +
        'The scopes are submit, read, manage, operate and work. Without keys every caller may do everything.',
    ),
  ALLOWED_HOSTS: allowedHostNames
    .optional()
    .describe(
      'Hosts that requests may name in `Host` beside 127.0.0.1, localhost and [::1], separated by commas; `*` allows any. ' +
        'Names stand without ports. ' +
        'Without API keys a process answers for these names only, which stops a page that uses DNS rebinding. ' +
        'The default is any host with API_KEYS or AUTH=off, else none more. In compose it is api,notifier,worker.',
    ),
  AUTH: z
    .enum(['off'])
    .optional()
    .describe('`off` lets a process listen beyond loopback without API_KEYS. In compose it is off.'),
};

/** More variables of the api and the notifier. Spread it into their schemas. */
export const browserVariables = {
  NOTIFIER_URL: baseUrl('http://127.0.0.1:3100').describe(
    'Where browsers reach the notifiers. `links.events` of every job begins with it.',
  ),
  MAX_BYTES_IN_FLIGHT: integer(32 * 1024 ** 2, 1).describe(
    'Most bytes of request bodies and unread answers above 16 KiB each that a process holds at once. ' +
      'The process answers more with 503 and `Retry-After`. A single body or answer may be larger. ' +
      'Events of open streams do not count: a notifier keeps 256 MiB of them at most.',
  ),
  CORS_ORIGINS: corsOrigins.default([]).meta({
    description:
      'Origins whose pages may call from a browser (CORS), separated by commas; `*` allows any and needs API_KEYS. ' +
      'By default a process refuses requests from pages of other origins.',
    examples: ['https://app.example.com,http://localhost:5173'],
  }),
  EVENT_TOKEN_SECRET: eventTokenSecrets
    .default([])
    .describe(
      'Secret that signs event tokens (`POST /v1/event-tokens`): 32 characters or more, from `openssl rand -hex 32`. ' +
        'Two secrets, separated by a comma, hold while the first replaces the second. ' +
        'Only API_KEYS makes it necessary. Api and notifiers need the same value. ' +
        'With API_KEYS and without it there are no tokens; `npm start` makes a secret at each start.',
    ),
};

/**
 * Rejects a configuration that lets every client in by accident. Pass it to `superRefine` of the process's schema.
 *
 * @example
 * ```ts
 * const schema = z.object({ ...serviceVariables }).superRefine(refuseOpenDoors);
 * ```
 */
export function refuseOpenDoors(config: Doors, context: z.RefinementCtx): void {
  const fault = listeningFault(config) ?? originsFault(config);
  if (fault !== null) context.addIssue(fault);
}

interface Doors {
  HOST: string;
  AUTH?: 'off' | undefined;
  API_KEYS: readonly ApiKey[];
  CORS_ORIGINS?: readonly string[];
}

/** Whether no other machine can reach this address. */
function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}

/** @returns why the process may not listen there; null if it may */
function listeningFault({ HOST, AUTH, API_KEYS }: Doors): string | null {
  if (isLoopback(HOST) || API_KEYS.length > 0 || AUTH === 'off') return null;
  return (
    `refusing to listen on HOST=${HOST}: without API keys, every client that reaches it could submit and read jobs. ` +
    'Set API_KEYS (`npm run api-key` makes a key), or AUTH=off if a proxy in front of it authenticates clients; ' +
    'or listen on 127.0.0.1.'
  );
}

/** @returns why pages of every origin may not call; null if they may */
function originsFault({ CORS_ORIGINS = [], API_KEYS }: Doors): string | null {
  if (!CORS_ORIGINS.includes('*') || API_KEYS.length > 0) return null;
  return (
    'refusing CORS_ORIGINS=* without API keys: any page that a user opens in a browser could submit and read jobs. ' +
    'Name the origins that may call, or set API_KEYS (`npm run api-key` makes a key).'
  );
}
