import { createHash, randomBytes } from 'node:crypto';
import { openApiChecker, type Exchange } from '@offload/testing';
import { openAccount, type Account } from './account.ts';
import type { Document } from './document.ts';
import { makeFinishedJobs, makeQueuedJobs } from './herd.ts';
import { keys } from './script.ts';
import { storedJobs } from './stored.ts';
import { startSystem, type SystemProcess } from '../system.ts';
import { collectable } from './vitals.ts';
import { queues } from './wanted.ts';

/** The api under test, and what is known of it. */
export interface Ground {
  api: SystemProcess;
  port: number;
  document: Document;
  faultsByDocument: (exchange: Exchange) => string[];
  account: Account;
  databaseUrl: string;
  stop(): Promise<void>;
}

const hashed = (key: string): string => createHash('sha256').update(key).digest('hex');

/** What does not come to its end is waited for no longer, in milliseconds. */
const REQUEST_TIMEOUT_MS = 5_000;

/** An api without a worker, and a few jobs of every status but `running`. */
export async function layGround(): Promise<Ground> {
  const system = await startSystem();
  try {
    const env = { QUEUES: queues.join(), LOG_LEVEL: 'info' };
    const [api, worker] = await Promise.all([
      system.startApi({
        ...env,
        ...collectable,
        WEBHOOK_SECRETS: `whsec_${randomBytes(32).toString('base64')}`,
        REQUEST_TIMEOUT_MS: String(REQUEST_TIMEOUT_MS),
        API_KEYS: `all:submit+read+manage:${hashed(keys.all)},reader:read:${hashed(keys.read)}`,
      }),
      system.startWorker(env),
    ]);
    await makeFinishedJobs(api);
    await worker.kill('SIGTERM');
    await makeQueuedJobs(api);
    const document = (await (await fetch(`${api.url}/openapi.json`)).json()) as Document;
    const databaseUrl = system.environment['DATABASE_URL'] as string;
    const before = await storedJobs(databaseUrl);
    return {
      ...{ api, document, databaseUrl, port: Number(new URL(api.url).port) },
      faultsByDocument: openApiChecker(document),
      account: openAccount(before.map(({ id }) => id)),
      stop: system.stop,
    };
  } catch (error) {
    await system.stop();
    throw error;
  }
}
