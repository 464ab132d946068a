// Browser-safe, zod only: what crosses a process boundary.
export {
  jobPage,
  jobsTaken,
  jobTypeInfo,
  jobTypeList,
  jobWithLinks,
  jsonWithLinks,
  problem,
  queueInfo,
  queueList,
  withLinks,
  type JobPage,
  type JobsTaken,
  type JobTypeInfo,
  type JobWithLinks,
  type ProblemBody,
  type QueueInfo,
} from './answers/answers.ts';
export { boundedParse } from './definitions/bounded-parse.ts';
export { jobId, plainText, queueName } from './members/identifiers.ts';
export {
  defaultPolicy,
  defineJob,
  MAX_TIMEOUT_MS,
  type Backoff,
  type JobDefinition,
  type JobPolicy,
} from './definitions/job-definition.ts';
export {
  findJobDefinition,
  jobDefinitions,
  jobTypes,
  type JobDefinitions,
  type JobName,
  type Payload,
  type Result,
} from './definitions/job-definitions.ts';
export { jobBatch, jobSubmission, MAX_BATCH, type JobSubmission } from './submissions/job-submission.ts';
export {
  briefOf,
  isFinished,
  job,
  jobError,
  jobProgress,
  jobStatus,
  type Job,
  type JobError,
  type JobProgress,
  type JobStatus,
} from './job/job.ts';
export {
  cloudEvent,
  endings,
  eventName,
  eventNameOf,
  eventOf,
  jobEvent,
  jobInEvent,
  type EventName,
  type JobEvent,
} from './events/job-event.ts';
export { oncePerJob } from './job/once-per-job.ts';
export { SerializedJob } from './job/serialized-job.ts';
export { time } from './members/time.ts';
export { storedPayload } from './definitions/stored-payload.ts';
export {
  deliveryAttempt,
  webhook,
  webhookBody,
  webhookDelivery,
  webhookDeliveryList,
  webhookEvent,
  type DeliveryAttempt,
  type Webhook,
  type WebhookDelivery,
  type WebhookEvent,
} from './webhooks/webhook.ts';
