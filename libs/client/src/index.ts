// Runs in every runtime with fetch: browsers, edge runtimes, Node.js. It imports no other package of this repository.
export { createClient, type Client } from './client.ts';
export { type ClientOptions } from './options.ts';
export { type Definition, type JobOptions, type PayloadOf, type ResultOf, type WebhookOptions } from './definition.ts';
export { type Delivery } from './deliveries.ts';
export { type EventToken, type EventTokenOptions } from './event-token.ts';
export { type BatchItem, type PostOptions, type SubmitOptions } from './submit-jobs.ts';
export { type CallOptions, type JobHandle, type KnownJob, type SubmittedJob } from './job-handle.ts';
export { type WaitOptions } from './wait-for-job.ts';
export { type ListOptions } from './list-jobs.ts';
export { isFinished, type JobEvent, type Snapshot } from './snapshot.ts';
export {
  JobCancelledError,
  JobFailedError,
  OffloadProblem,
  UnexpectedAnswerError,
  UnreachableError,
  WaitTimeoutError,
  type ProblemFault,
} from './errors.ts';
