import type { Job, JobProgress } from '@offload/contracts';
import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { batch } from './batch.ts';
import { PrismaClient } from './generated/prisma/client.ts';
import { getJobs, listJobs, type JobFilter } from './read-jobs.ts';
import { claimJobs, type Claim, type Delivery } from './transitions/claim-jobs.ts';
import { createJobs, type CreatedJob, type NewJob } from './transitions/create-jobs.ts';
import { confirmRings, msUntilNextRing, takeOwedRings, type OwedRing } from './transitions/owed-rings.ts';
import { reportProgress } from './transitions/report-progress.ts';
import { settleJobs, type Settlement } from './transitions/settle-jobs.ts';
import { orUnavailable } from './unavailable.ts';

export interface DatabaseOptions {
  /** `postgresql://user:password@host:port/database` */
  url: string;
  /** Most connections of this process. @default 10 */
  poolSize?: number;
  /** A statement, or waiting for a connection, may take this long, in milliseconds. @default 10_000 */
  timeoutMs?: number;
  /** How long the creator of a due job has for ringing it itself before any relay does, in ms. @default 2_000 */
  ringGraceMs?: number;
  /** Told of connections that break while nobody uses them; the pool replaces them by itself. */
  onConnectionError?: (error: Error) => void;
}

const defaults = { poolSize: 10, timeoutMs: 10_000, ringGraceMs: 2_000, onConnectionError: () => undefined };

/**
 * Everything the system asks of PostgreSQL, one function a transition. Each rejects with `DatabaseUnavailableError`
 * while the server is away and works again by itself when it is back. Concurrent calls of the functions on the hot path
 * share statements.
 */
export interface Database {
  createJob(job: NewJob): Promise<CreatedJob>;
  claimJob(delivery: Delivery): Promise<Claim>;
  /** @returns null where the fence refused the write */
  settleJob(settlement: Settlement): Promise<Job | null>;
  /** @returns null where the fence refused the write */
  reportProgress(jobId: string, attempt: number, progress: JobProgress): Promise<Job | null>;
  takeOwedRings(limit: number, graceMs: number): Promise<OwedRing[]>;
  /** @returns null where the job's status did not change */
  confirmRing(outboxId: string): Promise<Job | null>;
  msUntilNextRing(): Promise<number | null>;
  /** @returns null when there is no such job */
  getJob(id: string): Promise<Job | null>;
  /** @returns at most `limit` jobs, fewer when they are large, and whether there are more */
  listJobs(filter: JobFilter): Promise<{ jobs: Job[]; more: boolean }>;
  /** Resolves when the database answers. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** Opens a pool; connects when first used. */
export function openDatabase(options: DatabaseOptions): Database {
  const { url, poolSize, timeoutMs, ringGraceMs, onConnectionError } = { ...defaults, ...options };
  const pool = new pg.Pool({
    connectionString: url,
    max: poolSize,
    connectionTimeoutMillis: timeoutMs,
    statement_timeout: timeoutMs,
    // The server's own limit may never reach us over a dead connection.
    query_timeout: 2 * timeoutMs,
    keepAlive: true,
  });
  pool.on('error', onConnectionError);
  const prisma = new PrismaClient({ adapter: new PrismaPg(pool) });

  return {
    createJob: batch((jobs: NewJob[]) => orUnavailable(() => createJobs(pool, jobs, ringGraceMs))),
    claimJob: batch((deliveries: Delivery[]) => orUnavailable(() => claimJobs(pool, deliveries))),
    settleJob: batch((settlements: Settlement[]) => orUnavailable(() => settleJobs(pool, settlements))),
    reportProgress: (jobId, attempt, progress) => orUnavailable(() => reportProgress(pool, jobId, attempt, progress)),
    takeOwedRings: (limit, graceMs) => orUnavailable(() => takeOwedRings(pool, limit, graceMs)),
    confirmRing: batch((outboxIds: string[]) => orUnavailable(() => confirmRings(pool, outboxIds))),
    msUntilNextRing: () => orUnavailable(() => msUntilNextRing(pool)),
    getJob: batch((ids: string[]) => orUnavailable(() => getJobs(prisma, ids))),
    listJobs: (filter) => orUnavailable(() => listJobs(prisma, filter)),
    ping: () => orUnavailable(async () => void (await pool.query('select 1'))),
    async close() {
      await prisma.$disconnect();
      await pool.end();
    },
  };
}
