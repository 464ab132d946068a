import { isIPv4 } from 'node:net';
import { allowedHostNames, corsOrigins } from '@offload/http';
import { integer } from '@offload/process/config';
import { z } from 'zod';
import { apiKeys, type ApiKey } from './api-keys.ts';
import { eventTokenSecrets } from './event-tokens.ts';

/** The variables of every process that listens for HTTP. Spread it into the process's schema. */
export const serviceVariables = {
  /** Address to listen on. @default 127.0.0.1 */
  HOST: z.string().min(1).default('127.0.0.1'),
  /** API keys as `name:scope+scope:sha256`, separated by commas. @default none: every client may do everything */
  API_KEYS: apiKeys.default([]),
  /** Hosts that requests may name besides loopback, separated by commas, or `*`: see `allowedHosts`. */
  ALLOWED_HOSTS: allowedHostNames.optional(),
  /** `off` allows the process to listen beyond loopback without API keys. */
  AUTH: z.enum(['off']).optional(),
};

/** More variables of the api and the notifier. Spread it into their schemas. */
export const browserVariables = {
  /** Most bytes of large bodies and unread large answers at once. @default 32 MiB */
  MAX_BYTES_IN_FLIGHT: integer(32 * 1024 ** 2, 1),
  /** Origins whose pages may call from a browser, separated by commas, or `*`. @default none */
  CORS_ORIGINS: corsOrigins.default([]),
  /** Signs event tokens: one secret, or two during a rotation. @default none */
  EVENT_TOKEN_SECRET: eventTokenSecrets.default([]),
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
