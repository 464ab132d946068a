// The only library that speaks SQL. One function a transition of docs/job-lifecycle.md.
export type { JobFilter } from './look-for-jobs.ts';
export type { JobStore } from './job-store.ts';
export { migrate } from './migrate.ts';
export { openDatabase, type Database } from './open-database.ts';
export type { QueueStats } from './queue-stats.ts';
export {
  HIGH_PRIORITY,
  MARK_EVERY,
  MOST_AHEAD,
  type QueueCount,
  type QueueSample,
  type QueueSamples,
} from './queues.ts';
export type { JobPage } from './read-jobs.ts';
export type { Outbox } from './outbox.ts';
export type { RunningJob, Survey } from './survey.ts';
export type { Claim, ClaimedJob, Delivery } from './transitions/claim-jobs.ts';
export { jobAsMade, type CreatedJob, type NewJob } from './transitions/create-jobs.ts';
export type { IdempotencyKey, KeyedJob } from './transitions/idempotency-keys.ts';
export type { HeldJob } from './transitions/hold-jobs.ts';
export type { PendingDispatch } from './transitions/due-dispatches.ts';
export type { AttemptError, Outcome } from './transitions/settle-jobs.ts';
export { DatabaseUnavailableError } from './unavailable.ts';
