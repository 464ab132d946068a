// The only library that speaks SQL. One function a transition of docs/job-lifecycle.md.
export type { JobFilter } from './look-for-jobs.ts';
export { migrate } from './migrate.ts';
export { openDatabase, type Database, type DatabaseOptions } from './open-database.ts';
export {
  HIGH_PRIORITY,
  MARK_EVERY,
  MOST_AHEAD,
  type Line,
  type QueueCount,
  type QueueSample,
  type QueueSamples,
} from './queues.ts';
export type { JobPage } from './read-jobs.ts';
export type { QueueSurvey, RunningJob, Survey } from './survey.ts';
export type { Cancellation } from './transitions/cancel-job.ts';
export type { Claim, ClaimedJob, Delivery } from './transitions/claim-jobs.ts';
export { jobAsMade, type CreatedJob, type NewJob, type Submission, type Submitted } from './transitions/create-jobs.ts';
export type { IdempotencyKey, KeyedJob } from './transitions/idempotency-keys.ts';
export type { Deletion } from './transitions/delete-job.ts';
export type { HeldJob } from './transitions/hold-jobs.ts';
export type { RungCount } from './transitions/lost-rings.ts';
export type { OwedRing } from './transitions/owed-rings.ts';
export type { Retry } from './transitions/retry-job.ts';
export type { AttemptError, Outcome, Settlement } from './transitions/settle-jobs.ts';
export { DatabaseUnavailableError } from './unavailable.ts';
export type { Webhooks } from './webhooks/open-webhooks.ts';
export type { RecordedAttempt } from './webhooks/record-attempts.ts';
export type { WebhookEndpoint } from './webhooks/register-endpoints.ts';
export type { Take, TakenWebhook, Taking } from './webhooks/take-webhooks.ts';
