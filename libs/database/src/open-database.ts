import type pg from 'pg';
import { openJobTypes, type JobTypes } from './job-types/open-job-types.ts';
import { createJobStore, type JobStore } from './job-store.ts';
import { openPool } from './open-pool.ts';
import { openPrisma } from './open-prisma.ts';
import { createQueueStats, type QueueStats } from './queue-stats.ts';
import { createOutbox, type Outbox } from './outbox.ts';
import { DatabaseUnavailableError, orUnavailable, type UnusableDatabaseError } from './unavailable.ts';
import { openWebhooks, type Webhooks } from './webhooks/open-webhooks.ts';

export interface DatabaseOptions {
  /** `postgresql://user:password@host:port/database` */
  url: string;
  /** Most connections of this process. @default 10 */
  poolSize?: number;
  /** A statement, or waiting for a connection, may take this long, in milliseconds. @default 10_000 */
  timeoutMs?: number;
  /**
   * A statement may wait so long for a lock, in milliseconds: those that share it wait, too. For callers that try again.
   * @default 0: for as long as a statement may take, or as the server is configured
   */
  lockTimeoutMs?: number;
  /** How long the creator of a due job has for dispatching it itself before any relay does, in ms. @default 2_000 */
  dispatchGraceMs?: number;
  /** Told of connections that break while nobody uses them; the pool replaces them by itself. */
  onConnectionError?: (error: Error) => void;
  /**
   * Told each time a connection shows that the database can never be used, and why; before the first one was made also that the
   * server does not let us in. With it the first connection is made at once. @default the first call rejects
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
 * Everything that the system asks of PostgreSQL. Each call rejects with `DatabaseUnavailableError` while the server is away, and
 * works again by itself when it is back. Concurrent calls of the functions on the hot path share statements.
 */
export interface Database {
  readonly jobs: JobStore;
  readonly outbox: Outbox;
  readonly queues: QueueStats;
  readonly webhooks: Webhooks;
  readonly jobTypes: JobTypes;
  /** Resolves when the database answers, and jobs can be stored in it; waits while their tables are locked. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** What keeps the system from storing jobs although PostgreSQL answers; null when nothing does. */
const faultSql = `select case
  when current_setting('transaction_read_only')::boolean then 'it is read-only'
  when to_regclass('jobs') is null then 'it has no tables: run the migrations'
  when not (has_table_privilege('jobs', 'insert') and has_table_privilege('jobs', 'update'))
    then 'its user may not write' end as fault`;

/** Waits for the locks that storing a job needs, and writes nothing. */
const touchSql = `with job as (update jobs set version = version where false), dispatch as (delete from outbox where false)
  select from idempotency_keys where false`;

/** As objects, so that they are sent as the statements of jobs are: a pooler may refuse transactions. */
async function ping(pool: pg.Pool): Promise<void> {
  const { rows } = await pool.query<{ fault: string | null }>({ text: faultSql });
  if (rows[0]?.fault) throw new DatabaseUnavailableError({ cause: new Error(rows[0].fault) });
  await pool.query({ text: touchSql });
}

/** Opens a pool; connects when first used, or at once when `onUnusable` is given. */
export function openDatabase(options: DatabaseOptions): Database {
  const { poolSize, dispatchGraceMs, onConnectionError, ...rest } = { ...defaults, ...options };
  const { onUnusable } = rest;
  const pool = openPool({ ...rest, size: poolSize });
  pool.on('error', onConnectionError);
  const prisma = openPrisma(pool);
  let pinging: Promise<void> | null = null;
  if (onUnusable) ping(pool).catch(() => undefined); // what else is wrong may pass
  return {
    jobs: createJobStore(pool, dispatchGraceMs),
    outbox: createOutbox(pool),
    queues: createQueueStats(pool),
    webhooks: openWebhooks(pool, prisma),
    jobTypes: openJobTypes(pool),
    // One at a time: each may wait for a lock with a connection in hand.
    ping: () => (pinging ??= orUnavailable(() => ping(pool)).finally(() => (pinging = null))),
    async close() {
      await prisma.close();
      await pool.end();
    },
  };
}
