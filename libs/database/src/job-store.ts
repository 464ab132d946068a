import type { Job, JobProgress } from '@offload/jobs';
import type { Pool } from 'pg';
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

/** The jobs in PostgreSQL: one function a transition, and the reads of jobs. */
export interface JobStore {
  /** Makes all the jobs of a request, or none. */
  submit(submission: Submission): Promise<Submitted>;
  /** Makes one job that has no dedupe key. */
  create(job: NewJob): Promise<{ job: Job; outboxId: string }>;
  /** Whether a request with this idempotency key was obeyed before. */
  isKeyKept(client: string, key: string): Promise<boolean>;
  claim(delivery: Delivery): Promise<Claim>;
  /** @returns null where the fence refused the write */
  settle(settlement: Settlement): Promise<Job | null>;
  /** @returns null where the fence refused the write */
  reportProgress(jobId: string, attempt: number, progress: JobProgress): Promise<Job | null>;
  /** @returns null when there is no such job */
  cancel(jobId: string): Promise<Cancellation | null>;
  /** @returns null when there is no such job */
  retry(jobId: string): Promise<Retry | null>;
  /** @returns null when there is no such job */
  delete(jobId: string): Promise<Deletion | null>;
  /** A worker's answer to a liveness check. @returns the ids of those that are to be cancelled */
  hold(held: HeldJob[]): Promise<string[]>;
  /**
   * Notes why these attempts were lost, if they are: the error `worker-lost` then says it. Null takes that back, and so
   * does an answer to a liveness check.
   */
  noteLoss(held: readonly HeldJob[], message: string | null): Promise<void>;
  /** Whether a running job's holder has not been heard of for so many milliseconds. */
  hasUnheard(silentMs: number): Promise<boolean>;
  /** @returns the jobs whose holder was silent for so long, taken from it */
  releaseUnheld(silentMs: number, limit: number): Promise<Job[]>;
  /** @returns how many jobs, finished more than `days` days ago, were deleted */
  prune(days: number, limit: number): Promise<number>;
  /** @returns how many idempotency keys, older than a day, were deleted */
  pruneIdempotencyKeys(limit: number): Promise<number>;
  /** @returns null when there is no such job */
  get(id: string): Promise<Job | null>;
  /** @returns the job with null for its payload and its result, and without errors; null when there is none */
  getBrief(id: string): Promise<Job | null>;
  /** @returns for each id the job, or null when there is none, and of large jobs only the first: see `readFirstJobs` */
  getFirst(ids: readonly string[]): Promise<(Job | null)[]>;
  /** @returns the version of each of these jobs that there is, by its id in lower case: what is newer than one has */
  versions(ids: readonly string[]): Promise<Map<string, number>>;
  /** @returns at most `limit` jobs, fewer when they are large or the filter lets few through, and where to go on */
  list(filter: JobFilter): Promise<JobPage>;
}

/** @param dispatchGraceMs how long the creator of a due job has for dispatching it itself before any relay does, in milliseconds */
export function createJobStore(pool: Pool, dispatchGraceMs: number): JobStore {
  const submitAll = (submissions: Submission<WrittenJob>[]) => createJobs(pool, submissions, dispatchGraceMs);
  const submitShared = shareStatement(submitAll, {
    maxSize: STATEMENT_LENGTH,
    sizeOf: ({ jobs }) => jobs[0]?.payload.length ?? 0,
  });
  return {
    // Many jobs fill a statement by themselves.
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
