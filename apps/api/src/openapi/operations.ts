import { jobId } from '@offload/jobs';
import { jobPage, jobsTaken, jobWithLinks, queueList } from '@offload/jobs/answers';
import { jobSubmission } from '@offload/jobs/submissions';
import { webhookDelivery, webhookDeliveryList } from '@offload/jobs/webhooks';
import { z } from 'zod';
import { jobBatchOf } from '../contract/schemas.ts';
import { eventTokenRequest, issuedEventToken } from '../routes/issue-event-token.ts';
import { listQuery } from '../routes/list-jobs.ts';
import { deliveryParameters } from '../routes/redeliver.ts';
import {
  batchExamples,
  deliveryExample,
  eventTokenExample,
  eventTokenExamples,
  jobExample,
  listExample,
  queuesExample,
  submissionExamples,
} from './examples.ts';
import type { Slug } from '../contract/problems.ts';
import type { Operation } from './operation.ts';
import { serviceOperations } from './service-operations.ts';
import { typeOperations } from './type-operations.ts';
import { workerOperations } from './worker-operations.ts';

const ofJob = z.object({ id: jobId });
const job = { schema: jobWithLinks, example: jobExample };
const intake: Slug[] = [
  ...(['malformed-json', 'body-too-large', 'unsupported-media-type', 'idempotency-key-in-flight'] as const),
  ...(['idempotency-key-reused', 'queue-full'] as const),
];

/** Every call of the api. */
export const operations: Operation[] = [
  {
    method: 'post',
    path: '/v1/jobs',
    id: 'submitJob',
    summary: 'Submit a job',
    description:
      'The api answers when it has stored the job. With `Prefer: wait=N` it answers when the job is finished, after N seconds at most.',
    scope: 'submit',
    takes: ['Idempotency-Key', 'Prefer', 'traceparent'],
    body: { schema: jobSubmission, examples: submissionExamples },
    answers: [
      {
        ...{ status: 202, description: 'The api has stored the job.', ...job },
        headers: ['Location', 'Retry-After'],
        maybe: ['Preference-Applied', 'Idempotency-Replayed'],
      },
      {
        ...{
          status: 200,
          description: 'The finished job (`Prefer: wait`), or the unfinished job with the same `dedupeKey`.',
          ...job,
        },
        headers: ['Content-Location', 'ETag'],
        maybe: ['Preference-Applied', 'Idempotency-Replayed', 'Deduplicated', 'Retry-After'],
      },
    ],
    problems: [...intake, 'job-not-found', 'too-many-waiters'],
  },
  {
    method: 'post',
    path: '/v1/jobs/batch',
    id: 'submitJobs',
    summary: 'Submit up to 1,000 jobs, all or none',
    scope: 'submit',
    takes: ['Idempotency-Key', 'traceparent'],
    body: { schema: jobBatchOf, examples: batchExamples },
    answers: [
      {
        ...{
          status: 202,
          description: 'The api has stored all jobs.',
          schema: jobsTaken,
          example: { jobs: [jobExample] },
        },
        maybe: ['Idempotency-Replayed'],
      },
    ],
    problems: [...intake, 'job-not-found'],
  },
  {
    method: 'get',
    path: '/v1/jobs',
    id: 'listJobs',
    summary: 'List jobs, newest first',
    description:
      'The api looks at a few thousand jobs for one page. So a page may be shorter than `limit`, or empty, and not the last: go on until `nextCursor` is null.',
    scope: 'read',
    query: listQuery,
    answers: [{ status: 200, description: 'A page.', schema: jobPage, example: listExample }],
  },
  {
    method: 'get',
    path: '/v1/jobs/{id}',
    id: 'showJob',
    summary: 'Show a job',
    description: 'With `Prefer: wait=N` the api answers when the job is finished, after N seconds at most.',
    scope: 'read',
    parameters: ofJob,
    takes: ['If-None-Match', 'Prefer'],
    answers: [
      {
        ...{ status: 200, description: 'The job.', ...job },
        headers: ['ETag'],
        maybe: ['Retry-After', 'Preference-Applied'],
      },
      {
        ...{ status: 304, description: 'The job has not changed.' },
        headers: ['ETag'],
        maybe: ['Retry-After', 'Preference-Applied'],
      },
    ],
    problems: ['job-not-found', 'precondition-failed', 'too-many-waiters'],
  },
  {
    method: 'delete',
    path: '/v1/jobs/{id}',
    id: 'deleteJob',
    summary: 'Delete a finished job',
    scope: 'manage',
    parameters: ofJob,
    answers: [{ status: 204, description: 'The job is deleted.' }],
    problems: ['job-not-found', 'job-not-finished', 'precondition-failed'],
  },
  {
    method: 'get',
    path: '/v1/jobs/{id}/result',
    id: 'showResult',
    summary: 'Show only the result of a job',
    scope: 'read',
    parameters: ofJob,
    takes: ['If-None-Match'],
    answers: [
      {
        ...{
          status: 200,
          description: 'The value that the handler returned.',
          schema: z.unknown(),
          example: { sleptMs: 10_003 },
        },
        headers: ['ETag'],
      },
      { status: 202, description: 'The job has no result yet; the body is the job.', ...job, headers: ['Retry-After'] },
      { status: 304, description: 'The job has not changed.', headers: ['ETag'] },
    ],
    problems: ['job-not-found', 'job-failed', 'job-cancelled', 'precondition-failed'],
  },
  {
    method: 'post',
    path: '/v1/jobs/{id}/cancel',
    id: 'cancelJob',
    summary: 'Cancel a job',
    scope: 'manage',
    parameters: ofJob,
    answers: [
      { status: 200, description: 'The job is cancelled.', ...job },
      {
        ...{ status: 202, description: 'The job is running; its worker stops it.', ...job },
        headers: ['Location', 'Retry-After'],
      },
    ],
    problems: ['job-not-found', 'job-finished'],
  },
  {
    method: 'post',
    path: '/v1/jobs/{id}/retry',
    id: 'retryJob',
    summary: 'Run a failed or cancelled job again',
    scope: 'manage',
    parameters: ofJob,
    answers: [
      {
        ...{ status: 202, description: 'The job is queued, for one more attempt at least.', ...job },
        headers: ['Location', 'Retry-After'],
      },
    ],
    problems: ['job-not-found', 'job-not-finished', 'job-duplicated'],
  },
  {
    method: 'get',
    path: '/v1/jobs/{id}/deliveries',
    id: 'listDeliveries',
    summary: 'List the webhook deliveries of a job, with their attempts',
    description:
      'A job has a webhook delivery for each receiver and each time that it finished: a retry finishes it again.',
    scope: 'read',
    parameters: ofJob,
    answers: [
      {
        ...{ status: 200, description: 'The webhook deliveries.', schema: webhookDeliveryList },
        example: { deliveries: [deliveryExample] },
      },
    ],
    problems: ['job-not-found'],
  },
  {
    method: 'post',
    path: '/v1/deliveries/{id}/redeliver',
    id: 'redeliver',
    summary: 'Send a webhook again',
    description:
      'In any state, with the same `webhook-id` and body. A notifier sends it at once, or after the attempt under way if ' +
      'that fails, and then retries by the whole schedule.',
    scope: 'manage',
    parameters: deliveryParameters,
    answers: [
      {
        ...{
          status: 202,
          description: 'The webhook is pending again.',
          schema: webhookDelivery,
          example: deliveryExample,
        },
        headers: ['Location'],
      },
    ],
    problems: ['delivery-not-found', 'endpoint-removed'],
  },
  {
    method: 'post',
    path: '/v1/event-tokens',
    id: 'issueEventToken',
    summary: 'Issue a short-lived token to watch events from a browser',
    description:
      '`EventSource` cannot send `Authorization`. So it opens an event stream of a notifier with this token as `?token=`.',
    scope: 'read',
    body: { schema: eventTokenRequest, examples: eventTokenExamples },
    answers: [
      {
        ...{ status: 200, description: 'The token. The api does not store it.' },
        ...{ schema: issuedEventToken, example: eventTokenExample },
      },
    ],
    problems: ['malformed-json', 'body-too-large', 'unsupported-media-type', 'no-event-tokens'],
  },
  ...typeOperations,
  ...workerOperations,
  {
    method: 'get',
    path: '/v1/queues',
    id: 'listQueues',
    summary: 'List the queues',
    scope: 'read',
    answers: [
      {
        status: 200,
        description: 'The queues, with their jobs and consumers.',
        schema: queueList,
        example: queuesExample,
      },
    ],
  },
  ...serviceOperations,
];
