import type pg from 'pg';
import { openJobTypes, type JobTypes } from './job-types/open-job-types.ts';
import { createJobStore, type JobStore } from './job-store.ts';
import { openPool } from './open-pool.ts';
import { openPrisma } from './open-prisma.ts';
import { createQueueStats, type QueueStats } from './queue-stats.ts';
import { createOutbox, type Outbox } from './outbox.ts';
import { DatabaseUnavailableError, orUnavailable, type UnusableDatabaseError } from './unavailable.ts';
import { openWebhooks, type Webhooks } from './webhooks/open-webhooks.ts';

/** How {@link openDatabase} connects. Only `url` is required. */
export interface DatabaseOptions {
  /** `postgresql://user:password@host:port/database` */
  url: string;
  /** Most connections of this process. @default 10 */
  poolSize?: number;
  /** How long a statement, or the wait for a connection, may take, in milliseconds. @default 10_000 */
  timeoutMs?: number;
  /**
   * How long a statement may wait for a lock, in milliseconds. Items that share the statement wait, too. Use it if the
   * caller retries. @default 0: no limit of its own
   */
  lockTimeoutMs?: number;
  /** How long the creator of a due job may dispatch it before a relay does, in milliseconds. @default 2_000 */
  dispatchGraceMs?: number;
  /** Is called when an idle connection breaks. The pool replaces the connection. @default ignored */
  onConnectionError?: (error: Error) => void;
  /**
   * Is called each time a connection shows that the database can never be used, with the reason. Before the first successful login,
   * a refused login counts as such. With this option the first connection opens at once. @default the first call rejects
   */
  onUnusable?: (error: UnusableDatabaseError) => void;
}

const defaults = {
  poolSize: 10,
  timeoutMs: 10_000,
  lockTimeoutMs: 0,
  dispatchGraceMs: 2_000,
  onConnectionError: () => undefined,
};

/**
 * All access to PostgreSQL. Each call rejects with `DatabaseUnavailableError` while the server is away, and works again
 * when the server is back. Concurrent calls of the functions on the hot path share statements.
 */
export interface Database {
  /** Transitions and reads of jobs. */
  readonly jobs: JobStore;
  /** Pending dispatch messages, and those that the broker has lost. */
  readonly outbox: Outbox;
  /** Counts and samples of queues. */
  readonly queues: QueueStats;
  /** Webhook deliveries and endpoints. */
  readonly webhooks: Webhooks;
  /** Registered job types and workers. */
  readonly jobTypes: JobTypes;
  /**
   * Resolves if the database answers and jobs can be stored now. It waits while their tables are locked, and rejects
   * with `DatabaseUnavailableError` and the reason if they can't.
   */
  ping(): Promise<void>;
  /** Closes all connections after their running statements. */
  close(): Promise<void>;
}

/** Why the system can't store jobs although PostgreSQL answers; null if it can. */
const faultSql = `select case
  when current_setting('transaction_read_only')::boolean then 'it is read-only'
  when to_regclass('jobs') is null then 'it has no tables: run the migrations'
  when not (has_table_privilege('jobs', 'insert') and has_table_privilege('jobs', 'update'))
    then 'its user may not write' end as fault`;

/** Waits for the locks that storing a job needs, and changes nothing. */
const touchSql = `with job as (update jobs set version = version where false), dispatch as (delete from outbox where false)
  select from idempotency_keys where false`;

/** The queries are objects, so that a pooler handles them like the statements of jobs: it may refuse transactions. */
async function ping(pool: pg.Pool): Promise<void> {
  const { rows } = await pool.query<{ fault: string | null }>({ text: faultSql });
  if (rows[0]?.fault) throw new DatabaseUnavailableError({ cause: new Error(rows[0].fault) });
  await pool.query({ text: touchSql });
}

/**
 * Opens a pool of connections. It connects at the first call, or at once if `onUnusable` is given.
 *
 * @example
 * ```ts
 * const database = openDatabase({ url: 'postgresql://user:password@127.0.0.1:5432/offload', poolSize: 5 });
 * const job = await database.jobs.get('01a1fba9-679a-75c8-9117-2a8c29e05854');
 * await database.close();
 * ```
 */
export function openDatabase(options: DatabaseOptions): Database {
  const { poolSize, dispatchGraceMs, onConnectionError, ...rest } = { ...defaults, ...options };
  const { onUnusable } = rest;
  const pool = openPool({ ...rest, size: poolSize });
  pool.on('error', onConnectionError);
  const prisma = openPrisma(pool);
  let pinging: Promise<void> | null = null;
  if (onUnusable) ping(pool).catch(() => undefined); // other faults may pass
  return {
    jobs: createJobStore(pool, dispatchGraceMs),
    outbox: createOutbox(pool),
    queues: createQueueStats(pool),
    webhooks: openWebhooks(pool, prisma),
    jobTypes: openJobTypes(pool),
    // One at a time, because each may occupy a connection while it waits for a lock.
    ping: () => (pinging ??= orUnavailable(() => ping(pool)).finally(() => (pinging = null))),
    async close() {
      await prisma.close();
      await pool.end();
    },
  };
}
