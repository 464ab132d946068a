import type { Job, JobProgress } from '@offload/contracts';
import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { batch } from './batch.ts';
import { PrismaClient } from './generated/prisma/client.ts';
import { getJobs, listJobs, type JobFilter } from './read-jobs.ts';
import { survey, type Survey } from './survey.ts';
import { cancelJob, type Cancellation } from './transitions/cancel-job.ts';
import { claimJobs, type Claim, type Delivery } from './transitions/claim-jobs.ts';
import { createJobs, type CreatedJob, type NewJob } from './transitions/create-jobs.ts';
import { holdJobs, type HeldJob } from './transitions/hold-jobs.ts';
import { countRung, listRung, oweLostRings, oweScheduledRings } from './transitions/lost-rings.ts';
import { confirmRings, msUntilNextRing, takeOwedRings, type OwedRing } from './transitions/owed-rings.ts';
import { pruneJobs } from './transitions/prune-jobs.ts';
import { hasUnheard, releaseUnheld } from './transitions/release-unheld.ts';
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
  /** @returns null when there is no such job */
  cancelJob(jobId: string): Promise<Cancellation | null>;
  takeOwedRings(limit: number, graceMs: number): Promise<OwedRing[]>;
  /** @returns null where the job's status did not change */
  confirmRing(outboxId: string): Promise<Job | null>;
  msUntilNextRing(): Promise<number | null>;
  /** A worker's answer to a roll call. @returns the ids of those that are to be cancelled */
  holdJobs(held: HeldJob[]): Promise<string[]>;
  /** Whether a running job's holder has not been heard of for so many milliseconds. */
  hasUnheard(silentMs: number): Promise<boolean>;
  /** @returns the jobs whose holder was silent for so long, taken from it */
  releaseUnheld(silentMs: number, limit: number): Promise<Job[]>;
  /** How many rings of this queue must be with the broker. */
  countRung(queue: string): Promise<number>;
  /** The oldest of their jobs that were due at least `settledMs` ago. */
  listRung(queue: string, limit: number, settledMs: number): Promise<string[]>;
  /** @returns how many of these jobs are to be rung again */
  oweLostRings(jobIds: string[]): Promise<number>;
  /** @returns how many scheduled jobs owe their ring again */
  oweScheduledRings(limit: number): Promise<number>;
  /** @returns how many jobs, finished more than `days` days ago, were deleted */
  pruneJobs(days: number, limit: number): Promise<number>;
  /** What is not finished, counted. */
  survey(): Promise<Survey>;
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
    cancelJob: (jobId) => orUnavailable(() => cancelJob(pool, jobId)),
    takeOwedRings: (limit, graceMs) => orUnavailable(() => takeOwedRings(pool, limit, graceMs)),
    confirmRing: batch((outboxIds: string[]) => orUnavailable(() => confirmRings(pool, outboxIds))),
    msUntilNextRing: () => orUnavailable(() => msUntilNextRing(pool)),
    holdJobs: (held) => orUnavailable(() => holdJobs(pool, held)),
    hasUnheard: (silentMs) => orUnavailable(() => hasUnheard(pool, silentMs)),
    releaseUnheld: (silentMs, limit) => orUnavailable(() => releaseUnheld(pool, silentMs, limit)),
    countRung: (queue) => orUnavailable(() => countRung(pool, queue)),
    listRung: (queue, limit, settledMs) => orUnavailable(() => listRung(pool, queue, limit, settledMs)),
    oweLostRings: (jobIds) => orUnavailable(() => oweLostRings(pool, jobIds)),
    oweScheduledRings: (limit) => orUnavailable(() => oweScheduledRings(pool, limit)),
    pruneJobs: (days, limit) => orUnavailable(() => pruneJobs(pool, days, limit)),
    survey: () => orUnavailable(() => survey(pool)),
    getJob: batch((ids: string[]) => orUnavailable(() => getJobs(prisma, ids))),
    listJobs: (filter) => orUnavailable(() => listJobs(prisma, filter)),
    ping: () => orUnavailable(async () => void (await pool.query('select 1'))),
    async close() {
      await prisma.$disconnect();
      await pool.end();
    },
  };
}
