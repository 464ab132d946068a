import { isUtf8 } from 'node:buffer';
import type { Database } from '@offload/database';
import type { Connection } from '@offload/messaging';
import { answers, createHttpService, methodNotAllowed, type Logger, type Registry } from '@offload/runtime';
import express, { type Express } from 'express';
import type { Bell } from './bell.ts';
import type { Loop } from './loop.ts';
import { cancelJob } from './routes/cancel-job.ts';
import { listJobTypes } from './routes/list-job-types.ts';
import { listJobs } from './routes/list-jobs.ts';
import { showJob } from './routes/show-job.ts';
import { submitJob } from './routes/submit-job.ts';

export interface AppParts {
  database: Database;
  broker: Connection;
  bell: Bell;
  relay: Loop;
  metrics: Registry;
  log: Logger;
  queues: readonly string[];
  notifierUrl: string;
}

export const BODY_LIMIT = '1mb'; // 1 MiB

/** RFC 8259 section 8.1: JSON is UTF-8. Decoding would put replacement characters where it is not, without a word. */
function utf8Only(_request: unknown, _response: unknown, body: Buffer): void {
  if (!isUtf8(body)) throw new Error('the body is not UTF-8');
}

/** The calls of the api and what answers them. */
export function createApp(parts: AppParts): Express {
  return createHttpService({
    log: parts.log,
    metrics: parts.metrics,
    checks: {
      database: { required: true, check: answers(() => parts.database.ping()) },
      // Jobs are accepted without the broker too: the outbox keeps their rings.
      broker: { required: false, check: () => (parts.broker.state === 'open' ? null : parts.broker.state) },
    },
    routes(app) {
      const body = express.json({ limit: BODY_LIMIT, strict: false, type: 'application/json', verify: utf8Only });
      app.route('/v1/jobs').get(listJobs(parts)).post(body, submitJob(parts)).all(methodNotAllowed('GET, HEAD, POST'));
      app.route('/v1/jobs/:id').get(showJob(parts)).all(methodNotAllowed('GET, HEAD'));
      app.route('/v1/jobs/:id/cancel').post(cancelJob(parts)).all(methodNotAllowed('POST'));
      app.route('/v1/job-types').get(listJobTypes()).all(methodNotAllowed('GET, HEAD'));
    },
  });
}
