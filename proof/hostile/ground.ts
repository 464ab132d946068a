import { createHash, randomBytes } from 'node:crypto';
import type { JobPage } from '@offload/jobs/answers';
import { openApiChecker, type Exchange } from '@offload/spec-kit/contracts';
import { openAccount, type Account } from './account.ts';
import { readDocument, type Document } from './document.ts';
import { makeFinishedJobs, makeQueuedJobs } from './herd.ts';
import { keys } from './script.ts';
import { storedJobs } from './stored.ts';
import { startSystem, type SystemProcess } from '@offload/running-system';
import { collectable } from './vitals.ts';
import { queues } from './wanted.ts';

/** The api and the notifier under test, with their records. */
export interface Ground {
  api: SystemProcess;
  notifier: SystemProcess;
  port: number;
  document: Document;
  faultsByDocument: (exchange: Exchange) => string[];
  account: Account;
  databaseUrl: string;
  stop(): Promise<void>;
}

const hashed = (key: string): string => createHash('sha256').update(key).digest('hex');

/** Milliseconds that the api waits for an incomplete request. */
const REQUEST_TIMEOUT_MS = 5_000;

/** Starts an api and a notifier without a worker, with a few jobs of every status but `running`. */
export async function layGround(): Promise<Ground> {
  const system = await startSystem();
  try {
    const env = { QUEUES: queues.join(), LOG_LEVEL: 'info' };
    const besieged = {
      ...collectable,
      LOG_LEVEL: 'info',
      API_KEYS: `all:submit+read+manage+operate+work:${hashed(keys.all)},reader:read:${hashed(keys.read)}`,
    };
    const [api, notifier, worker] = await Promise.all([
      system.startApi({
        ...env,
        ...besieged,
        WEBHOOK_SECRETS: `whsec_${randomBytes(32).toString('base64')}`,
        REQUEST_TIMEOUT_MS: String(REQUEST_TIMEOUT_MS),
      }),
      system.startNotifier(besieged), // without secrets it sends no webhook to what the scripts name
      system.startWorker(env),
    ]);
    await makeFinishedJobs(api);
    await worker.kill('SIGTERM');
    await makeQueuedJobs(api);
    await readOnce(api, notifier);
    const document = await readDocument(api.url, { Authorization: `Bearer ${keys.read}` });
    const databaseUrl = system.environment['DATABASE_URL'] as string;
    const before = await storedJobs(databaseUrl);
    return {
      ...{ api, notifier, document, databaseUrl, port: Number(new URL(api.url).port) },
      faultsByDocument: openApiChecker(document),
      account: openAccount(before.map(({ id }) => id)),
      stop: system.stop,
    };
  } catch (error) {
    await system.stop();
    throw error;
  }
}

/** Reads jobs once, so that the processes have loaded the code for that. */
async function readOnce(api: SystemProcess, notifier: SystemProcess): Promise<void> {
  const headers = { authorization: `Bearer ${keys.read}` };
  const page = await (await fetch(`${api.url}/v1/jobs`, { headers })).json();
  for (const { id, status } of (page as JobPage).jobs.filter(({ status }) => status === 'succeeded')) {
    for (const url of [`${api.url}/v1/jobs/${id}`, `${notifier.url}/v1/jobs/${id}/events`]) {
      const answer = await fetch(url, { headers });
      await answer.text(); // the stream of a finished job ends
      if (answer.status !== 200)
        throw new Error(`${url} of a job that has ${status} is answered with ${answer.status}`);
    }
  }
}
