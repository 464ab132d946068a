import { createHash } from 'node:crypto';
import { openApiChecker, openProxy, type Exchange } from '@offload/testing';
import { startSystem, type System, type SystemProcess } from '../system.ts';

/**
 * The apis that rows ask: one with nothing set; one with API keys and tight limits; one that has lost the database, and
 * gives requests little time.
 */
export type ApiName = 'open' | 'guarded' | 'stranded';

/** Queues beside `default`. Nobody works on them; none of the jobs in `full` would be taken. */
export const queues = ['default', 'idle', 'traced', 'full'] as const;

/** The API keys of the guarded api, and their scopes. A client is limited by its name, so what uses limits up has its own. */
const keys = {
  reader: 'read',
  submitter: 'submit',
  manager: 'manage',
  anyone: 'submit+read+manage',
  another: 'submit+read+manage',
  waiting: 'submit+read',
  hasty: 'read',
  hurried: 'read',
  exhausted: 'read',
} as const;
export type KeyName = keyof typeof keys;

export const RATE_LIMIT = 40;
const REQUEST_TIMEOUT_MS = 300;

export const keyOf = (name: KeyName): string => `conformance-${name}`;

/** The system that rows run against. */
export interface World {
  readonly apis: Readonly<Record<ApiName, SystemProcess>>;
  readonly system: System;
  /** Holds an answer against the served /openapi.json. */
  readonly faultsOf: (exchange: Exchange) => string[];
  close(): Promise<void>;
}

export async function openWorld(): Promise<World> {
  const system = await startSystem();
  try {
    const database = await openProxy(String(system.environment['DATABASE_URL']));
    const given = { QUEUES: queues.join(',') };
    const [open, guarded, stranded] = await Promise.all([
      system.startApi(given),
      system.startApi({
        ...given,
        API_KEYS: Object.entries(keys)
          .map(([name, scopes]) => keyEntry(name as KeyName, scopes))
          .join(','),
        RATE_LIMIT: String(RATE_LIMIT),
        MAX_WAITERS: '1',
        MAX_BACKLOG: '1000000,full=0',
      }),
      system.startApi({ ...given, DATABASE_URL: database.url, REQUEST_TIMEOUT_MS: String(REQUEST_TIMEOUT_MS) }),
      system.startWorker({ WORKER_CONCURRENCY: '100' }),
    ]);
    await database.close();
    const document = (await (await fetch(`${open.url}/openapi.json`)).json()) as object;
    return { apis: { open, guarded, stranded }, system, faultsOf: openApiChecker(document), close: system.stop };
  } catch (error) {
    await system.stop();
    throw error;
  }
}

function keyEntry(name: KeyName, scopes: string): string {
  return `${name}:${scopes}:${createHash('sha256').update(keyOf(name)).digest('hex')}`;
}
