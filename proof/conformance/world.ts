import { createHash, randomBytes } from 'node:crypto';
import { openApiChecker, type Exchange } from '@offload/spec-kit/contracts';
import { openProxy } from '@offload/spec-kit/servers';
import { startSystem, type System, type SystemProcess } from '@offload/running-system';

/**
 * The apis that rows ask:
 *
 * - one without settings;
 * - one with API keys, tight limits, and pages of one origin;
 * - one that has lost the database, has no secrets for webhooks, and gives requests little time.
 *
 * There is also a notifier with the keys and tokens of the guarded api.
 */
export type ApiName = 'open' | 'guarded' | 'stranded' | 'notifier';

/** The queues. Only `default` has a worker; the api accepts no job in `full`. */
export const queues = ['default', 'idle', 'traced', 'full'] as const;

/**
 * The API keys of the guarded api, and their scopes. A client is limited by its name, so what uses limits up has its
 * own.
 */
const keys = {
  reader: 'read',
  submitter: 'submit',
  anyone: 'submit+read+manage',
  another: 'submit+read+manage',
  waiting: 'submit+read',
  hasty: 'read',
  hurried: 'read',
  browsing: 'read',
} as const;
/** The name of an API key. */
export type KeyName = keyof typeof keys;

/** Requests that a client may send to the guarded api in a minute. */
export const RATE_LIMIT = 40;
const REQUEST_TIMEOUT_MS = 300;
/** The origin whose pages may call the guarded api. */
export const PAGE = 'https://app.example';

/** The API key with this name. */
export const keyOf = (name: KeyName): string => `conformance-${name}`;

/** The system that rows run against. */
export interface World {
  readonly apis: Readonly<Record<ApiName, SystemProcess>>;
  readonly system: System;
  /** Compares an answer with the served /openapi.json. */
  readonly faultsOf: (exchange: Exchange) => string[];
  close(): Promise<void>;
}

/** Starts the system for the rows. */
export async function openWorld(): Promise<World> {
  const system = await startSystem();
  try {
    const database = await openProxy(String(system.environment['DATABASE_URL']));
    const webhookSecret = `whsec_${randomBytes(32).toString('base64')}`;
    const given = { QUEUES: queues.join(','), WEBHOOK_SECRETS: webhookSecret, ALLOWED_HOSTS: 'api' };
    const entries = Object.entries(keys).map(([name, scopes]) => keyEntry(name as KeyName, scopes));
    const access = { API_KEYS: entries.join(','), EVENT_TOKEN_SECRET: randomBytes(32).toString('hex') };
    const [open, guarded, stranded, notifier] = await Promise.all([
      system.startApi(given),
      system.startApi({
        ...given,
        ...access,
        CORS_ORIGINS: PAGE,
        RATE_LIMIT: String(RATE_LIMIT),
        MAX_WAITERS: '1',
        MAX_BACKLOG: '1000000,full=0',
      }),
      system.startApi({
        ...given,
        WEBHOOK_SECRETS: '',
        DATABASE_URL: database.url,
        REQUEST_TIMEOUT_MS: String(REQUEST_TIMEOUT_MS),
      }),
      system.startNotifier(access),
      system.startWorker({ WORKER_CONCURRENCY: '100' }),
    ]);
    await database.close();
    const document = (await (await fetch(`${open.url}/openapi.json`)).json()) as object;
    return {
      apis: { open, guarded, stranded, notifier },
      system,
      faultsOf: openApiChecker(document),
      close: system.stop,
    };
  } catch (error) {
    await system.stop();
    throw error;
  }
}

function keyEntry(name: KeyName, scopes: string): string {
  return `${name}:${scopes}:${createHash('sha256').update(keyOf(name)).digest('hex')}`;
}
