import { setTimeout as delay } from 'node:timers/promises';
import { migrate, root, startProgram, type ProgramProcess } from '../app-process.ts';
import { ask, remakeDatabase, transactions } from '../ground/ask.ts';
import type { Ground } from '../ground/ground.ts';
import { HELLO, type System } from './system.ts';

const QUEUE = 'jobs.default';
/** Name of the empty database of which others are copies. */
export const OFFLOAD_TEMPLATE = 'offload_template';

/** Offload as a measured system. */
export type Offload = System & {
  /** Removes the jobs since {@link System.reset}, from a database that had jobs before. */
  removeNewJobs(): Promise<void>;
};

/** A compiled checkout of Offload. */
export interface Checkout {
  name: string;
  /** Its root folder. */
  folder: string;
  /** Name of its empty database, of which others are copies. */
  template: string;
}

const thisCheckout: Checkout = { name: 'Offload', folder: root, template: OFFLOAD_TEMPLATE };

/** Makes the empty database of which those of {@link offload} are copies. */
export async function prepareOffload(ground: Ground, { folder, template } = thisCheckout): Promise<void> {
  await migrate({ DATABASE_URL: ground.databaseUrl(template) }, folder);
}

/** Compiled api and worker. @param kept a database with jobs to keep; by default each reset makes a new one */
export function offload(ground: Ground, kept?: string, { name, folder, template } = thisCheckout): Offload {
  const url = ground.databaseUrl(kept ?? 'offload');
  const env = {
    DATABASE_URL: url,
    AMQP_URL: ground.amqpUrl,
    LOG_LEVEL: 'warn',
    MAX_BACKLOG: '100000000',
    RETENTION_DAYS: '0', // what is measured must not be deleted meanwhile
  };
  /** The least id of a job that is made from now on. */
  let since = leastId();

  async function count(sql: string): Promise<number> {
    return (await ask<{ count: number }>(url, sql, [since]))[0]?.count ?? NaN;
  }

  async function removeNewJobs(): Promise<void> {
    await ask(url, 'delete from jobs where id >= $1', [since]);
    await ask(url, 'vacuum analyze jobs');
  }

  const start = (kind: 'api' | 'worker', more: Record<string, string> = {}): Promise<ProgramProcess> =>
    startProgram({
      name: `${name} ${kind}`,
      folder,
      file: `apps/${kind}/dist/main.js`,
      options: ['--max-semi-space-size=8'], // as deploy/Dockerfile has it
      env: { ...env, ...more },
      portVariable: `${kind.toUpperCase()}_PORT`,
    });

  return {
    name,
    can: { store: true, run: true },
    pickUpFrom: 'answer',
    usesOutbox: true,
    jobsToRun: 20_000,
    removeNewJobs,
    async reset() {
      await ground.management.deleteQueue(QUEUE);
      if (kept === undefined) await remakeDatabase(url, template);
      since = leastId();
    },
    startApi: () => start('api'),
    startWorker: ({ concurrency }) => start('worker', { WORKER_CONCURRENCY: String(concurrency) }),
    one: () => ({ path: '/v1/jobs', body: JSON.stringify({ type: 'demo.echo', payload: HELLO }) }),
    many: (many) => batch(many, { type: 'demo.echo', payload: HELLO }),
    manySleeping: (many, seconds) => batch(many, { type: 'demo.sleep', payload: { seconds } }),
    async settled() {
      while ((await ask(url, 'select from outbox limit 1')).length > 0) await delay(20);
    },
    stored: () => count('select count(*)::int as count from jobs where id >= $1'),
    finished: () => count(`select count(*)::int as count from jobs where finished_at is not null and id >= $1`),
    async finishedAt() {
      const sql = `select extract(epoch from finished_at)::float8 * 1000 as ms from jobs where id >= $1`;
      return (await ask<{ ms: number }>(url, sql, [since])).map(({ ms }) => ms);
    },
    async calledAt() {
      const sql = `select id, (result->>'calledAtMs')::float8 as ms from jobs where id >= $1`;
      return new Map((await ask<{ id: string; ms: number }>(url, sql, [since])).map(({ id, ms }) => [id, ms]));
    },
    async verify(expected) {
      const succeeded = await count(
        `select count(*)::int as count from jobs
          where status = 'succeeded' and result is not null and attempt = 1 and id >= $1`,
      );
      if (succeeded !== expected)
        throw new Error(`${succeeded} of ${expected} jobs have succeeded, with a result, at once`);
      const left = await ground.management.messages(QUEUE);
      if (left > 0) throw new Error(`${left} dispatch messages are left in the queue`);
    },
    transactions: () => transactions(url),
  };
}

/** A UUIDv7 (RFC 9562 section 5.7), which begins with the milliseconds since 1970. */
function leastId(): string {
  const time = Date.now().toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-000000000000`;
}

function batch(many: number, job: object) {
  return { path: '/v1/jobs/batch', body: JSON.stringify({ jobs: Array(many).fill(job) }) };
}
