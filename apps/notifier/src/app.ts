import type { Database } from '@offload/database';
import type { Connection } from '@offload/messaging';
import {
  answers,
  authenticate,
  createHttpService,
  methodNotAllowed,
  requireScope,
  type ApiKey,
  type Logger,
  type Registry,
} from '@offload/runtime';
import type { Express } from 'express';
import type { Hub } from './browsers/hub.ts';
import { watchAll } from './browsers/watch-all.ts';
import { watchJob } from './browsers/watch-job.ts';

export interface AppParts {
  database: Database;
  broker: Connection;
  hub: Hub;
  metrics: Registry;
  log: Logger;
  notifierUrl: string;
  /** Who may read; everybody without any. @default [] */
  keys?: readonly ApiKey[];
}

/** The calls of the notifier and what answers them. */
export function createApp(parts: AppParts): Express {
  return createHttpService({
    log: parts.log,
    metrics: parts.metrics,
    checks: {
      database: { required: true, check: answers(() => parts.database.ping()) },
      broker: { required: true, check: () => (parts.broker.state === 'open' ? null : parts.broker.state) },
    },
    routes(app) {
      app.use('/v1', authenticate(parts.keys ?? []));
      const mayRead = requireScope('read');
      const onlyGet = methodNotAllowed('GET'); // HEAD too: a stream has no end whose headers could be told
      app.route('/v1/jobs/:id/events').head(onlyGet).get(mayRead, watchJob(parts)).all(onlyGet);
      app.route('/v1/events').head(onlyGet).get(mayRead, watchAll(parts)).all(onlyGet);
    },
  });
}
