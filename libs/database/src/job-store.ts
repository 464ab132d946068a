import type { Job, JobProgress } from '@offload/jobs';
import type { Pool } from 'pg';
import { readJobTerms, type JobTerms } from './job-terms.ts';
import type { JobFilter } from './look-for-jobs.ts';
import { listJobs, readBriefJobs, readFirstJobs, type JobPage } from './read-jobs.ts';
import { readVersions } from './read-versions.ts';
import { shareStatement, STATEMENT_LENGTH } from './share-statement.ts';
import { cancelJob, type Cancellation } from './transitions/cancel-job.ts';
import { shareClaims, type Claim, type Delivery } from './transitions/claim-jobs.ts';
import {
  createJobs,
  written,
  type CreatedJob,
  type NewJob,
  type Submission,
  type Submitted,
  type WrittenJob,
} from './transitions/create-jobs.ts';
import { deleteJob, type Deletion } from './transitions/delete-job.ts';
import { holdJobs, type HeldJob } from './transitions/hold-jobs.ts';
import { isKeyKept, pruneIdempotencyKeys } from './transitions/idempotency-keys.ts';
import { noteLoss } from './transitions/note-loss.ts';
import { pruneJobs } from './transitions/prune-jobs.ts';
import { hasUnheard, releaseUnheld } from './transitions/release-unheld.ts';
import { reportProgress } from './transitions/report-progress.ts';
import { retryJob, type Retry } from './transitions/retry-job.ts';
import { shareSettlements, type Settlement } from './transitions/settle-jobs.ts';
import { orUnavailable } from './unavailable.ts';

/**
 * The jobs in PostgreSQL: one function for each transition, and reads. Each function rejects with
 * `DatabaseUnavailableError` while PostgreSQL can't serve it.
 */
export interface JobStore {
  /** Creates all jobs of a request, or none. An idempotency key or a dedupe key returns the existing jobs instead. */
  submit(submission: Submission): Promise<Submitted>;
  /** Creates one job without a dedupe key. */
  create(job: NewJob): Promise<{ job: Job; outboxId: string }>;
  /** Whether an earlier request with this idempotency key is stored. */
  isKeyKept(client: string, key: string): Promise<boolean>;
  /** Claims a job for one attempt: queued (or scheduled and due) → running. */
  claim(delivery: Delivery): Promise<Claim>;
  /** Stores the outcome of an attempt. @returns null if the fence refused the write */
  settle(settlement: Settlement): Promise<Job | null>;
  /** Reads the terms of a job. @returns null if there is no such job */
  terms(jobId: string): Promise<JobTerms | null>;
  /** Stores the progress of an attempt. @returns the brief job; null if the fence refused the write */
  reportProgress(jobId: string, attempt: number, progress: JobProgress): Promise<Job | null>;
  /** Cancels a waiting job, or notes that the worker must stop a running one. @returns null if there is no such job */
  cancel(jobId: string): Promise<Cancellation | null>;
  /** Queues a failed or cancelled job again. @returns null if there is no such job */
  retry(jobId: string): Promise<Retry | null>;
  /** Deletes a finished job. @returns null if there is no such job */
  delete(jobId: string): Promise<Deletion | null>;
  /** Stores a worker's answer to a liveness check. @returns the ids of jobs that the worker must cancel */
  hold(held: HeldJob[]): Promise<string[]>;
  /**
   * Stores why these attempts would be lost, for the error `worker-lost`. Null deletes the notes, and so does an answer
   * to a liveness check.
   */
  noteLoss(held: readonly HeldJob[], message: string | null): Promise<void>;
  /** Whether the holder of some running job has not answered for this many milliseconds. */
  hasUnheard(silentMs: number): Promise<boolean>;
  /**
   * Ends the attempts of holders that were silent for this many milliseconds. @returns the jobs after the transition
   */
  releaseUnheld(silentMs: number, limit: number): Promise<Job[]>;
  /** Deletes jobs that finished more than `days` days ago. @returns how many it deleted */
  prune(days: number, limit: number): Promise<number>;
  /** Deletes idempotency keys that are older than a day. @returns how many it deleted */
  pruneIdempotencyKeys(limit: number): Promise<number>;
  /** Reads one job. @returns null if there is no such job */
  get(id: string): Promise<Job | null>;
  /** Reads a job without payload, result and errors. @returns null if there is no such job */
  getBrief(id: string): Promise<Job | null>;
  /**
   * Reads jobs in this order until they are large together: see `readFirstJobs`. @returns null for an id without a job
   */
  getFirst(ids: readonly string[]): Promise<(Job | null)[]>;
  /**
   * Reads versions, so that a caller sees which jobs have changed. @returns by id in lower case; unknown ids are left
   * out
   */
  versions(ids: readonly string[]): Promise<Map<string, number>>;
  /**
   * Lists jobs, newest first. @returns at most `limit` jobs and the cursor of the next page; fewer if the jobs are
   * large or few of them match
   */
  list(filter: JobFilter): Promise<JobPage>;
}

/**
 * Makes the job store of a pool.
 *
 * @param dispatchGraceMs how long the creator of a due job may dispatch it before a relay does, in milliseconds
 */
export function createJobStore(pool: Pool, dispatchGraceMs: number): JobStore {
  const submitAll = (submissions: Submission<WrittenJob>[]) => createJobs(pool, submissions, dispatchGraceMs);
  const submitShared = shareStatement(submitAll, {
    maxSize: STATEMENT_LENGTH,
    sizeOf: ({ jobs }) => jobs[0]?.payload.length ?? 0,
  });
  return {
    // A request with many jobs needs no other requests to fill a statement.
    submit: async (submission) =>
      submission.jobs.length > 1
        ? ((await orUnavailable(() => submitAll([written(submission)])))[0] as Submitted)
        : submitShared(written(submission)),
    async create(job) {
      const submitted = await submitShared(written({ jobs: [job], idempotency: null }));
      if (submitted.kind !== 'created') throw new Error(`not created: ${submitted.kind}`);
      const { serialized, outboxId } = submitted.jobs[0] as CreatedJob;
      return { job: serialized.job, outboxId: outboxId as string };
    },
    isKeyKept: (client, key) => orUnavailable(() => isKeyKept(pool, client, key)),
    claim: shareClaims(pool),
    settle: shareSettlements(pool),
    terms: (jobId) => orUnavailable(() => readJobTerms(pool, jobId)),
    reportProgress: (jobId, attempt, progress) => orUnavailable(() => reportProgress(pool, jobId, attempt, progress)),
    cancel: (jobId) => orUnavailable(() => cancelJob(pool, jobId)),
    retry: (jobId) => orUnavailable(() => retryJob(pool, jobId, dispatchGraceMs)),
    delete: (jobId) => orUnavailable(() => deleteJob(pool, jobId)),
    hold: (held) => orUnavailable(() => holdJobs(pool, held)),
    noteLoss: (held, message) => orUnavailable(() => noteLoss(pool, held, message)),
    hasUnheard: (silentMs) => orUnavailable(() => hasUnheard(pool, silentMs)),
    releaseUnheld: (silentMs, limit) => orUnavailable(() => releaseUnheld(pool, silentMs, limit)),
    prune: (days, limit) => orUnavailable(() => pruneJobs(pool, days, limit)),
    pruneIdempotencyKeys: (limit) => orUnavailable(() => pruneIdempotencyKeys(pool, limit)),
    get: shareStatement((ids: string[]) => readFirstJobs(pool, ids)),
    getBrief: shareStatement((ids: string[]) => readBriefJobs(pool, ids), { maxItems: 1_000 }),
    getFirst: (ids) => orUnavailable(() => readFirstJobs(pool, ids)),
    versions: (ids) => orUnavailable(() => readVersions(pool, ids)),
    list: (filter) => orUnavailable(() => listJobs(pool, filter)),
  };
}
