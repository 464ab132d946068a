import { isIPv4 } from 'node:net';
import { allowedHostNames, corsOrigins } from '@offload/http';
import { integer } from '@offload/process/config';
import { z } from 'zod';
import { apiKeys, type ApiKey } from './api-keys.ts';
import { eventTokenSecrets } from './event-tokens.ts';

/** What a process that listens is told; spread it into its schema. */
export const serviceVariables = {
  /** Address to listen on. */
  HOST: z.string().min(1).default('127.0.0.1'),
  /** Who may do what, if not everybody everything: `name:scope+scope:sha256`, separated by commas. */
  API_KEYS: apiKeys.default([]),
  /** Hosts that requests may name beside loopback, separated by commas, or `*`: see `allowedHosts`. */
  ALLOWED_HOSTS: allowedHostNames.optional(),
  /** `off` allows to listen beyond loopback although there are no keys. */
  AUTH: z.enum(['off']).optional(),
};

/** What api and notifier are told besides, both the same; spread it into their schemas. */
export const browserVariables = {
  /** Most bytes of large bodies and of large answers that are not yet read, at once. */
  MAX_BYTES_IN_FLIGHT: integer(32 * 1024 ** 2, 1),
  /** Origins whose pages may call from a browser, separated by commas, or `*`. */
  CORS_ORIGINS: corsOrigins.default([]),
  /** What event tokens are signed with: one secret, or two while one replaces the other. */
  EVENT_TOKEN_SECRET: eventTokenSecrets.default([]),
};

/** Refuses a configuration that lets anybody in: give it to `superRefine` of the process's schema. */
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

/** Whether other machines can't reach this address. */
function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}

/** @returns why a process may not listen there, if it may not */
function listeningFault({ HOST, AUTH, API_KEYS }: Doors): string | null {
  if (isLoopback(HOST) || API_KEYS.length > 0 || AUTH === 'off') return null;
  return (
    `refusing to listen on HOST=${HOST}: without API keys anybody who reaches it could submit and read jobs. ` +
    'Set API_KEYS (`npm run api-key` makes a key), or AUTH=off if something in front of it decides who may; ' +
    'or listen on 127.0.0.1.'
  );
}

/** @returns why pages of every origin may not call, if they may not */
function originsFault({ CORS_ORIGINS = [], API_KEYS }: Doors): string | null {
  if (!CORS_ORIGINS.includes('*') || API_KEYS.length > 0) return null;
  return (
    'refusing CORS_ORIGINS=* without API keys: any page that a person here opens could submit and read jobs. ' +
    'Name the origins that may call, or set API_KEYS (`npm run api-key` makes a key).'
  );
}
