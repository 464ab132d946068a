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
      'The job is stored when this is answered. With `Prefer: wait=N` the answer is held until the job is finished, for N seconds at most.',
    scope: 'submit',
    takes: ['Idempotency-Key', 'Prefer', 'traceparent'],
    body: { schema: jobSubmission, examples: submissionExamples },
    answers: [
      {
        ...{ status: 202, description: 'It is kept, and will be run.', ...job },
        headers: ['Location', 'Retry-After'],
        maybe: ['Preference-Applied', 'Idempotency-Replayed'],
      },
      {
        ...{
          status: 200,
          description: 'The finished job, where it was waited for; or the one that was there.',
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
        ...{ status: 202, description: 'All of them are kept.', schema: jobsTaken, example: { jobs: [jobExample] } },
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
      'A page may be shorter than `limit`, or even empty, and not the last: go on until `nextCursor` is null. No page looks at more than a few thousand jobs.',
    scope: 'read',
    query: listQuery,
    answers: [{ status: 200, description: 'A page.', schema: jobPage, example: listExample }],
  },
  {
    method: 'get',
    path: '/v1/jobs/{id}',
    id: 'showJob',
    summary: 'Show a job',
    description: 'With `Prefer: wait=N` the answer is held until it is finished, for N seconds at most.',
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
        ...{ status: 304, description: 'It has not changed.' },
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
    answers: [{ status: 204, description: 'It is gone.' }],
    problems: ['job-not-found', 'job-not-finished', 'precondition-failed'],
  },
  {
    method: 'get',
    path: '/v1/jobs/{id}/result',
    id: 'showResult',
    summary: 'The result alone',
    scope: 'read',
    parameters: ofJob,
    takes: ['If-None-Match'],
    answers: [
      {
        ...{
          status: 200,
          description: 'What the handler returned.',
          schema: z.unknown(),
          example: { sleptMs: 10_003 },
        },
        headers: ['ETag'],
      },
      { status: 202, description: 'There is none yet: the job as it is.', ...job, headers: ['Retry-After'] },
      { status: 304, description: 'You have it.', headers: ['ETag'] },
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
      { status: 200, description: 'It will never run.', ...job },
      {
        ...{ status: 202, description: 'It is running; its worker has been told.', ...job },
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
        ...{ status: 202, description: 'It is queued, for one more attempt at least.', ...job },
        headers: ['Location', 'Retry-After'],
      },
    ],
    problems: ['job-not-found', 'job-not-finished', 'job-duplicated'],
  },
  {
    method: 'get',
    path: '/v1/jobs/{id}/deliveries',
    id: 'listDeliveries',
    summary: 'The webhooks of a job, and each attempt to deliver them',
    description: 'One for each end of the job that somebody wanted to be told: a job that is retried can end again.',
    scope: 'read',
    parameters: ofJob,
    answers: [
      {
        ...{ status: 200, description: 'All of them.', schema: webhookDeliveryList },
        example: { deliveries: [deliveryExample] },
      },
    ],
    problems: ['job-not-found'],
  },
  {
    method: 'post',
    path: '/v1/deliveries/{id}/redeliver',
    id: 'redeliver',
    summary: 'Deliver a webhook again',
    description:
      'Whatever became of it: with the same `webhook-id` and body, at once (or when the attempt under way fails), then by ' +
      'the whole schedule.',
    scope: 'manage',
    parameters: deliveryParameters,
    answers: [
      {
        ...{ status: 202, description: 'It is pending again.', schema: webhookDelivery, example: deliveryExample },
        headers: ['Location'],
      },
    ],
    problems: ['delivery-not-found', 'endpoint-removed'],
  },
  {
    method: 'post',
    path: '/v1/event-tokens',
    id: 'issueEventToken',
    summary: 'A short-lived token to watch events from a browser',
    description:
      'For `EventSource`, which can send no `Authorization`: the event streams of notifiers take it as `?token=`.',
    scope: 'read',
    body: { schema: eventTokenRequest, examples: eventTokenExamples },
    answers: [
      {
        ...{ status: 200, description: 'It is made, and kept nowhere.' },
        ...{ schema: issuedEventToken, example: eventTokenExample },
      },
    ],
    problems: ['malformed-json', 'body-too-large', 'unsupported-media-type', 'no-event-tokens'],
  },
  ...typeOperations,
  {
    method: 'get',
    path: '/v1/queues',
    id: 'listQueues',
    summary: 'What is in each queue',
    scope: 'read',
    answers: [{ status: 200, description: 'Each queue.', schema: queueList, example: queuesExample }],
  },
  ...serviceOperations,
];
