import { workerInfo, workerList } from '@offload/jobs/answers';
import { attemptParameters } from '../answers/attempt-of-path.ts';
import type { Slug } from '../contract/problems.ts';
import { claimedJob, claimRequest } from '../routes/claim-job.ts';
import { held, holdings } from '../routes/hold-jobs.ts';
import { workerParameters, workerRegistration } from '../routes/register-worker.ts';
import { progressReport } from '../routes/report-progress.ts';
import { attemptOutcome, settledAttempt } from '../routes/settle-attempt.ts';
import { workersExample } from './examples.ts';
import type { Operation } from './operation.ts';
import { claimExamples, claimedExample, holdingsExamples, outcomeExamples, workerExamples } from './worker-examples.ts';

const body: Slug[] = ['malformed-json', 'body-too-large', 'unsupported-media-type'];
const worker = { schema: workerInfo, example: workersExample.workers[0] };

/** The calls about workers, and those of workers in other languages: see docs/decisions/0024. */
export const workerOperations: Operation[] = [
  {
    method: 'get',
    path: '/v1/workers',
    id: 'listWorkers',
    summary: 'The workers, and what they do',
    scope: 'read',
    answers: [{ status: 200, description: 'Each worker.', schema: workerList, example: workersExample }],
  },
  {
    method: 'put',
    path: '/v1/workers/{instance}',
    id: 'registerWorker',
    summary: 'Say that a worker begins',
    description: 'For workers in other languages. One that does not say so runs jobs all the same, but is not listed.',
    scope: 'work',
    parameters: workerParameters,
    body: { schema: workerRegistration, examples: workerExamples },
    answers: [{ status: 200, description: 'The worker.', ...worker }],
    problems: [...body, 'worker-not-found'],
  },
  {
    method: 'delete',
    path: '/v1/workers/{instance}',
    id: 'removeWorker',
    summary: 'Say that a worker has ended',
    scope: 'work',
    parameters: workerParameters,
    answers: [{ status: 204, description: 'It is not listed any more.' }],
  },
  {
    method: 'post',
    path: '/v1/workers/{instance}/drain',
    id: 'drainWorker',
    summary: 'Have a worker finish its jobs and end',
    description: 'It takes no new job, finishes those that it has, and ends with code 0.',
    scope: 'operate',
    parameters: workerParameters,
    answers: [{ status: 202, description: 'It is told.', ...worker }],
    problems: ['worker-not-found'],
  },
  {
    method: 'put',
    path: '/v1/workers/{instance}/holdings',
    id: 'holdJobs',
    summary: 'Say which jobs a worker has, each ten seconds',
    description: 'It is an answer to a liveness check, and hears which of them to stop.',
    scope: 'work',
    parameters: workerParameters,
    body: { schema: holdings, examples: holdingsExamples },
    answers: [
      { status: 200, description: 'What the worker is to do.', schema: held, example: { cancel: [], drain: false } },
    ],
    problems: body,
  },
  {
    method: 'post',
    path: '/v1/claims',
    id: 'claimJob',
    summary: 'Claim the job of a dispatch message',
    description: 'The same `claimId` again is the same claim.',
    scope: 'work',
    body: { schema: claimRequest, examples: claimExamples },
    answers: [{ status: 200, description: 'The attempt is yours.', schema: claimedJob, example: claimedExample }],
    problems: [...body, 'held', 'refused', 'broker-unavailable'],
  },
  {
    method: 'put',
    path: '/v1/jobs/{id}/attempts/{attempt}/progress',
    id: 'reportProgress',
    summary: 'Say how far an attempt is',
    scope: 'work',
    parameters: attemptParameters,
    body: { schema: progressReport, examples: { half: { percent: 50, message: '5 of 10 pages' } } },
    answers: [{ status: 204, description: 'It is stored.' }],
    problems: [...body, 'fenced'],
  },
  {
    method: 'put',
    path: '/v1/jobs/{id}/attempts/{attempt}/outcome',
    id: 'settleAttempt',
    summary: 'Say how an attempt ended',
    description: 'Answered when it is stored, and RabbitMQ has confirmed its event. The same again is the same.',
    scope: 'work',
    parameters: attemptParameters,
    body: { schema: attemptOutcome, examples: outcomeExamples },
    answers: [
      {
        ...{ status: 200, description: 'It is stored: acknowledge the dispatch message.', schema: settledAttempt },
        example: { status: 'succeeded', version: 5 },
      },
    ],
    problems: [...body, 'fenced', 'broker-unavailable'],
  },
];
