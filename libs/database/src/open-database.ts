import type { Job, JobProgress } from '@offload/contracts';
import type pg from 'pg';
import { openPool } from './open-pool.ts';
import { openPrisma } from './open-prisma.ts';
import type { JobFilter } from './look-for-jobs.ts';
import {
  countAhead,
  countQueues,
  countStarted,
  sampleQueues,
  type AheadOf,
  type QueueCount,
  type QueueSamples,
} from './queues.ts';
import { listJobs, readBriefJobs, readFirstJobs, type JobPage } from './read-jobs.ts';
import { readVersions } from './read-versions.ts';
import { survey, type Survey } from './survey.ts';
import { cancelJob, type Cancellation } from './transitions/cancel-job.ts';
import { claimJobs, claimWaitingJobs, type Claim, type Delivery } from './transitions/claim-jobs.ts';
import { createJobs, type NewJob, type Submission, type Submitted } from './transitions/create-jobs.ts';
import { deleteJob, type Deletion } from './transitions/delete-job.ts';
import { holdJobs, type HeldJob } from './transitions/hold-jobs.ts';
import { isKeyKept, pruneIdempotencyKeys } from './transitions/idempotency-keys.ts';
import { noteLoss } from './transitions/note-loss.ts';
import { countRung, listRung, oweLostRings, oweScheduledRings, type RungCount } from './transitions/lost-rings.ts';
import { confirmRings, msUntilNextRing, putOffRings, takeOwedRings, type OwedRing } from './transitions/owed-rings.ts';
import { pruneJobs } from './transitions/prune-jobs.ts';
import { hasUnheard, releaseUnheld } from './transitions/release-unheld.ts';
import { reportProgress } from './transitions/report-progress.ts';
import { retryJob, type Retry } from './transitions/retry-job.ts';
import {
  isPlainSuccess,
  resultLength,
  settleJobs,
  succeedJobs,
  type PlainSuccess,
  type Settlement,
} from './transitions/settle-jobs.ts';
import { shareStatement } from './share-statement.ts';
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
  /** How long the creator of a due job has for ringing it itself before any relay does, in ms. @default 2_000 */
  ringGraceMs?: number;
  /** Told of connections that break while nobody uses them; the pool replaces them by itself. */
  onConnectionError?: (error: Error) => void;
  /**
   * Told each time a connection shows that the database can never be used, and why. With it the first connection is
   * made at once. @default the first call rejects
   */
  onUnusable?: (error: UnusableDatabaseError) => void;
}

/**
 * How long confirmed rings gather before they are removed from the outbox, and most of them in a statement: each of
 * these costs a commit, and has to keep up with several that store a thousand jobs at a time.
 */
const CONFIRM = { gatherMs: 20, maxItems: 5_000 };

const defaults = {
  poolSize: 10,
  timeoutMs: 10_000,
  lockTimeoutMs: 0,
  ringGraceMs: 2_000,
  onConnectionError: () => undefined,
};

/**
 * Everything the system asks of PostgreSQL, one function a transition. Each rejects with `DatabaseUnavailableError`
 * while the server is away and works again by itself when it is back. Concurrent calls of the functions on the hot path
 * share statements.
 */
export interface Database {
  /** Makes all the jobs of a request, or none. */
  submit(submission: Submission): Promise<Submitted>;
  /** Makes one job that has no dedupe key. */
  createJob(job: NewJob): Promise<{ job: Job; outboxId: string }>;
  /** Whether a request with this idempotency key was obeyed before. */
  isKeyKept(client: string, key: string): Promise<boolean>;
  claimJob(delivery: Delivery): Promise<Claim>;
  /** @returns null where the fence refused the write */
  settleJob(settlement: Settlement): Promise<Job | null>;
  /** @returns null where the fence refused the write */
  reportProgress(jobId: string, attempt: number, progress: JobProgress): Promise<Job | null>;
  /** @returns null when there is no such job */
  cancelJob(jobId: string): Promise<Cancellation | null>;
  /** @returns null when there is no such job */
  retryJob(jobId: string): Promise<Retry | null>;
  /** @returns null when there is no such job */
  deleteJob(jobId: string): Promise<Deletion | null>;
  takeOwedRings(limit: number, graceMs: number): Promise<OwedRing[]>;
  putOffRings(outboxIds: readonly string[], ms: number): Promise<void>;
  /** @returns the job without payload, result and errors; null where its status did not change */
  confirmRing(outboxId: string): Promise<Job | null>;
  msUntilNextRing(): Promise<number | null>;
  /** A worker's answer to a roll call. @returns the ids of those that are to be cancelled */
  holdJobs(held: HeldJob[]): Promise<string[]>;
  /**
   * Notes why these attempts were lost, if they are: the error `worker-lost` then says it. Null takes that back, and so
   * does an answer to a roll call.
   */
  noteLoss(held: readonly HeldJob[], message: string | null): Promise<void>;
  /** Whether a running job's holder has not been heard of for so many milliseconds. */
  hasUnheard(silentMs: number): Promise<boolean>;
  /** @returns the jobs whose holder was silent for so long, taken from it */
  releaseUnheld(silentMs: number, limit: number): Promise<Job[]>;
  /**
   * How many rings of this queue must be with the broker, and what has become of those of an earlier count (its `at`).
   */
  countRung(queue: string, since: number | null): Promise<RungCount>;
  /** The oldest of their jobs that were due at least `settledMs` ago, but for those whose rings workers have. */
  listRung(queue: string, limit: number, settledMs: number): Promise<string[]>;
  /** @returns how many of these jobs are to be rung again */
  oweLostRings(jobIds: string[]): Promise<number>;
  /** @returns how many scheduled jobs owe their ring again */
  oweScheduledRings(limit: number): Promise<number>;
  /** @returns how many jobs, finished more than `days` days ago, were deleted */
  pruneJobs(days: number, limit: number): Promise<number>;
  /** @returns how many idempotency keys, older than a day, were deleted */
  pruneIdempotencyKeys(limit: number): Promise<number>;
  /** What is not finished, counted. */
  survey(): Promise<Survey>;
  /** What is not finished, by queue, with how long it has waited. */
  countQueues(): Promise<QueueCount[]>;
  /** What of them is running or scheduled. */
  countStarted(): Promise<Pick<QueueCount, 'queue' | 'running' | 'scheduled'>[]>;
  /** How many jobs wait in these queues, and how many of them did so at the time of an earlier sample (its `at`). */
  sampleQueues(queues: readonly string[], since: number | null): Promise<QueueSamples>;
  /** @returns how many jobs come before this one in its queue, 10,000 at most; null when it is not queued */
  countAhead(asked: AheadOf): Promise<number | null>;
  /** @returns null when there is no such job */
  getJob(id: string): Promise<Job | null>;
  /** @returns the job with null for its payload and its result, and without errors; null when there is none */
  getBriefJob(id: string): Promise<Job | null>;
  /** @returns for each id the job, or null when there is none, and of large jobs only the first: see `readFirstJobs` */
  getFirstJobs(ids: readonly string[]): Promise<(Job | null)[]>;
  /** @returns the version of each of these jobs that there is, by its id in lower case: what is newer than one has */
  jobVersions(ids: readonly string[]): Promise<Map<string, number>>;
  /** @returns at most `limit` jobs, fewer when they are large or the filter lets few through, and where to go on */
  listJobs(filter: JobFilter): Promise<JobPage>;
  readonly webhooks: Webhooks;
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
const touchSql = `with job as (update jobs set version = version where false), ring as (delete from outbox where false)
  select from idempotency_keys where false`;

/** As objects, so that they are sent as the statements of jobs are: a pooler may refuse transactions. */
async function ping(pool: pg.Pool): Promise<void> {
  const { rows } = await pool.query<{ fault: string | null }>({ text: faultSql });
  if (rows[0]?.fault) throw new DatabaseUnavailableError({ cause: new Error(rows[0].fault) });
  await pool.query({ text: touchSql });
}

/**
 * Payloads of jobs, or results, that share a statement, in characters: of more, it would hold the process to write and
 * to answer them.
 */
const STATEMENT_LENGTH = 2 * 1024 ** 2;

/** Opens a pool; connects when first used, or at once when `onUnusable` is given. */
export function openDatabase(options: DatabaseOptions): Database {
  const { poolSize, ringGraceMs, onConnectionError, ...rest } = { ...defaults, ...options };
  const { onUnusable } = rest;
  const pool = openPool({ ...rest, size: poolSize });
  pool.on('error', onConnectionError);
  const prisma = openPrisma(pool);
  const submitAll = (submissions: Submission[]) => orUnavailable(() => createJobs(pool, submissions, ringGraceMs));
  const getFirstJobs = (ids: readonly string[]) => orUnavailable(() => readFirstJobs(pool, ids));
  const submitShared = shareStatement(submitAll, {
    maxSize: STATEMENT_LENGTH,
    sizeOf: ({ jobs }) => jobs[0]?.payloadJson?.length ?? 0,
  });
  // What is plain in statements of its own, so that nobody hears of the fault of a statement which comes after his own.
  const claimWaiting = shareStatement((deliveries: Delivery[]) =>
    orUnavailable(() => claimWaitingJobs(pool, deliveries)),
  );
  const claimAny = shareStatement((deliveries: Delivery[]) => orUnavailable(() => claimJobs(pool, deliveries)));
  const bySize = { maxSize: STATEMENT_LENGTH, sizeOf: resultLength };
  const succeed = shareStatement(
    (successes: PlainSuccess[]) => orUnavailable(() => succeedJobs(pool, successes)),
    bySize,
  );
  const settleAny = shareStatement(
    (settlements: Settlement[]) => orUnavailable(() => settleJobs(pool, settlements)),
    bySize,
  );

  let pinging: Promise<void> | null = null;
  if (onUnusable) ping(pool).catch(() => undefined); // what else is wrong may pass
  return {
    // Many jobs fill a statement by themselves.
    submit: async (submission) =>
      submission.jobs.length > 1 ? ((await submitAll([submission]))[0] as Submitted) : submitShared(submission),
    async createJob(job) {
      const submitted = await submitShared({ jobs: [job], idempotency: null });
      if (submitted.kind !== 'created') throw new Error(`not created: ${submitted.kind}`);
      return submitted.jobs[0] as { job: Job; outboxId: string };
    },
    isKeyKept: (client, key) => orUnavailable(() => isKeyKept(pool, client, key)),
    claimJob: async (delivery) => (delivery.redelivered ? null : await claimWaiting(delivery)) ?? claimAny(delivery),
    settleJob: async (settlement) =>
      (isPlainSuccess(settlement) ? await succeed(settlement) : null) ?? settleAny(settlement),
    reportProgress: (jobId, attempt, progress) => orUnavailable(() => reportProgress(pool, jobId, attempt, progress)),
    cancelJob: (jobId) => orUnavailable(() => cancelJob(pool, jobId)),
    retryJob: (jobId) => orUnavailable(() => retryJob(pool, jobId, ringGraceMs)),
    deleteJob: (jobId) => orUnavailable(() => deleteJob(pool, jobId)),
    takeOwedRings: (limit, graceMs) => orUnavailable(() => takeOwedRings(pool, limit, graceMs)),
    putOffRings: (outboxIds, ms) => orUnavailable(() => putOffRings(pool, outboxIds, ms)),
    // No client waits for it, and meanwhile the relay leaves the ring alone.
    confirmRing: shareStatement((outboxIds: string[]) => orUnavailable(() => confirmRings(pool, outboxIds)), CONFIRM),
    msUntilNextRing: () => orUnavailable(() => msUntilNextRing(pool)),
    holdJobs: (held) => orUnavailable(() => holdJobs(pool, held)),
    noteLoss: (held, message) => orUnavailable(() => noteLoss(pool, held, message)),
    hasUnheard: (silentMs) => orUnavailable(() => hasUnheard(pool, silentMs)),
    releaseUnheld: (silentMs, limit) => orUnavailable(() => releaseUnheld(pool, silentMs, limit)),
    countRung: (queue, since) => orUnavailable(() => countRung(pool, queue, since)),
    listRung: (queue, limit, settledMs) => orUnavailable(() => listRung(pool, queue, limit, settledMs)),
    oweLostRings: (jobIds) => orUnavailable(() => oweLostRings(pool, jobIds)),
    oweScheduledRings: (limit) => orUnavailable(() => oweScheduledRings(pool, limit)),
    pruneJobs: (days, limit) => orUnavailable(() => pruneJobs(pool, days, limit)),
    pruneIdempotencyKeys: (limit) => orUnavailable(() => pruneIdempotencyKeys(pool, limit)),
    survey: () => orUnavailable(() => survey(pool)),
    countQueues: () => orUnavailable(() => countQueues(pool)),
    countStarted: () => orUnavailable(() => countStarted(pool)),
    sampleQueues: (queues, since) => orUnavailable(() => sampleQueues(pool, queues, since)),
    countAhead: shareStatement((asked: AheadOf[]) => orUnavailable(() => countAhead(pool, asked)), { maxItems: 1_000 }),
    jobVersions: (ids) => orUnavailable(() => readVersions(pool, ids)),
    getJob: shareStatement(getFirstJobs),
    getBriefJob: shareStatement((ids: string[]) => orUnavailable(() => readBriefJobs(pool, ids)), { maxItems: 1_000 }),
    getFirstJobs,
    listJobs: (filter) => orUnavailable(async () => listJobs(pool, await prisma.client(), filter)),
    webhooks: openWebhooks(pool),
    // One at a time: each may wait for a lock with a connection in hand.
    ping: () => (pinging ??= orUnavailable(() => ping(pool)).finally(() => (pinging = null))),
    async close() {
      await prisma.close();
      await pool.end();
    },
  };
}
