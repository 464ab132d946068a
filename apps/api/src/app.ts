import type { Database } from '@offload/database';
import type { Connection, Publisher } from '@offload/messaging';
import type { QueueInspector } from '@offload/messaging/queues';
import { answers, createHttpService, methodNotAllowed, type AllowedHosts } from '@offload/http';
import { jsonBody } from '@offload/http/bodies';
import { type ApiKey, authenticate, eventTokensFor, limitRate, requireScope } from '@offload/access';
import { type Logger, type Loop, type Registry } from '@offload/process';
import type { Express } from 'express';
import type { JobTypes } from './job-types/job-types.ts';
import type { Backlog } from './loops/backlog.ts';
import type { Dispatcher } from './dispatcher.ts';
import { createOneForEach } from './answers/few-at-once.ts';
import { createIntake } from './intake/intake.ts';
import { cancelJob } from './routes/cancel-job.ts';
import { claimJob } from './routes/claim-job.ts';
import { deleteJob } from './routes/delete-job.ts';
import { docs } from './routes/docs.ts';
import { holdJobs } from './routes/hold-jobs.ts';
import { issueEventToken } from './routes/issue-event-token.ts';
import { listDeliveries } from './routes/list-deliveries.ts';
import { listJobTypes, showJobType } from './routes/list-job-types.ts';
import { listJobs } from './routes/list-jobs.ts';
import { listQueues } from './routes/list-queues.ts';
import { listWorkers } from './routes/list-workers.ts';
import { redeliver } from './routes/redeliver.ts';
import { registerJobType, removeJobType } from './routes/register-job-type.ts';
import { drainWorker, registerWorker, removeWorker } from './routes/register-worker.ts';
import { reportProgress } from './routes/report-progress.ts';
import { retryJob } from './routes/retry-job.ts';
import { settleAttempt } from './routes/settle-attempt.ts';
import { showJob } from './routes/show-job.ts';
import { showProblem } from './routes/show-problem.ts';
import { showResult } from './routes/show-result.ts';
import { submitBatch } from './routes/submit-batch.ts';
import { submitJob } from './routes/submit-job.ts';
import type { Waiters } from './waiting/waiters.ts';

export interface AppParts {
  database: Database;
  broker: Connection;
  inspector: QueueInspector;
  /** Publishes registrations of job types to all apis. */
  publisher: Publisher;
  dispatcher: Dispatcher;
  relay: Loop;
  waiters: Waiters;
  /** The registered job types, in memory. */
  types: JobTypes;
  backlog: Backlog;
  /** Most jobs that may wait in a queue. */
  maxBacklog: (queue: string) => number;
  metrics: Registry;
  log: Logger;
  /** The API keys; without keys every client may call. */
  keys: readonly ApiKey[];
  /** The secrets that sign event tokens. @default none: see `eventTokensFor` */
  eventTokenSecrets?: readonly string[];
  /** Origins whose pages may call from a browser, or `*`. @default [] */
  corsOrigins?: readonly string[];
  /** Hosts that requests may name. @default any */
  allowedHosts?: AllowedHosts;
  /** Whether jobs may have webhooks of their own: true if notifiers have secrets to sign them. @default false */
  ownWebhooks?: boolean;
  /** Most bytes of large bodies and unread answers at once. @default see `HttpServiceOptions` */
  maxBytesInFlight?: number;
  /** Most requests a minute of one client; 0 sets no limit. */
  rateLimit: number;
  queues: readonly string[];
  /** Other schemas replace those that are registered under the same version. @default false */
  replaceSchemas?: boolean;
  notifierUrl: string;
}

/** Makes the HTTP application: the routes of the api with their handlers. */
export function createApp(given: AppParts): Express {
  const { keys, eventTokenSecrets = [], corsOrigins = [], allowedHosts = 'any' } = given;
  const parts = {
    ...given,
    intake: createIntake(given),
    tokens: eventTokensFor(keys, eventTokenSecrets),
    oneForEach: createOneForEach(),
  };
  return createHttpService({
    log: parts.log,
    metrics: parts.metrics,
    corsOrigins,
    allowedHosts,
    ...(given.maxBytesInFlight !== undefined && { maxBytesInFlight: given.maxBytesInFlight }),
    checks: {
      database: { required: true, check: answers(() => parts.database.ping()) },
      // Jobs are accepted without the broker too: the outbox keeps their dispatch messages.
      broker: {
        required: false,
        check: () => (parts.broker.state === 'open' ? parts.dispatcher.faults() : parts.broker.state),
      },
    },
    routes(app) {
      const [submit, read, manage] = [requireScope('submit'), requireScope('read'), requireScope('manage')];
      const [operate, work] = [requireScope('operate'), requireScope('work')];
      const json = jsonBody({ digested: (request) => request.headers['idempotency-key'] !== undefined });
      app.use('/v1', authenticate(keys), limitRate({ perMinute: parts.rateLimit }));
      app
        .route('/v1/jobs')
        .get(read, listJobs(parts))
        .post(submit, json, submitJob(parts))
        .all(methodNotAllowed('GET, HEAD, POST'));
      app.route('/v1/jobs/batch').post(submit, json, submitBatch(parts)).all(methodNotAllowed('POST'));
      app
        .route('/v1/jobs/:id')
        .get(read, showJob(parts))
        .delete(manage, deleteJob(parts))
        .all(methodNotAllowed('GET, HEAD, DELETE'));
      app.route('/v1/jobs/:id/result').get(read, showResult(parts)).all(methodNotAllowed('GET, HEAD'));
      app.route('/v1/jobs/:id/cancel').post(manage, cancelJob(parts)).all(methodNotAllowed('POST'));
      app.route('/v1/jobs/:id/retry').post(manage, retryJob(parts)).all(methodNotAllowed('POST'));
      app.route('/v1/jobs/:id/deliveries').get(read, listDeliveries(parts)).all(methodNotAllowed('GET, HEAD'));
      app.route('/v1/deliveries/:id/redeliver').post(manage, redeliver(parts)).all(methodNotAllowed('POST'));
      app.route('/v1/event-tokens').post(read, json, issueEventToken(parts)).all(methodNotAllowed('POST'));
      app.route('/v1/job-types').get(read, listJobTypes(parts)).all(methodNotAllowed('GET, HEAD'));
      app
        .route('/v1/job-types/:type')
        .get(read, showJobType(parts))
        .put(work, json, registerJobType(parts))
        .delete(operate, removeJobType(parts))
        .all(methodNotAllowed('GET, HEAD, PUT, DELETE'));
      app.route('/v1/workers').get(read, listWorkers(parts)).all(methodNotAllowed('GET, HEAD'));
      app
        .route('/v1/workers/:instance')
        .put(work, json, registerWorker(parts))
        .delete(work, removeWorker(parts))
        .all(methodNotAllowed('PUT, DELETE'));
      app.route('/v1/workers/:instance/drain').post(operate, drainWorker(parts)).all(methodNotAllowed('POST'));
      app.route('/v1/workers/:instance/holdings').put(work, json, holdJobs(parts)).all(methodNotAllowed('PUT'));
      app.route('/v1/claims').post(work, json, claimJob(parts)).all(methodNotAllowed('POST'));
      const attempt = '/v1/jobs/:id/attempts/:attempt';
      app.route(`${attempt}/progress`).put(work, json, reportProgress(parts)).all(methodNotAllowed('PUT'));
      app.route(`${attempt}/outcome`).put(work, json, settleAttempt(parts)).all(methodNotAllowed('PUT'));
      app.route('/v1/queues').get(read, listQueues(parts)).all(methodNotAllowed('GET, HEAD'));
      app.route('/problems/:slug').get(showProblem).all(methodNotAllowed('GET, HEAD'));
      app.use(docs());
    },
  });
}
