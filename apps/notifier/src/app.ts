import type { Database } from '@offload/database';
import type { Connection } from '@offload/messaging';
import { answers, createHttpService, methodNotAllowed, type Logger, type Registry } from '@offload/runtime';
import type { Express } from 'express';
import type { Hub } from './hub.ts';
import { watchAll } from './routes/watch-all.ts';
import { watchJob } from './routes/watch-job.ts';

export interface AppParts {
  database: Database;
  broker: Connection;
  hub: Hub;
  metrics: Registry;
  log: Logger;
  notifierUrl: string;
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
      app.route('/v1/jobs/:id/events').head(methodNotAllowed('GET')).get(watchJob(parts)).all(methodNotAllowed('GET'));
      app.route('/v1/events').head(methodNotAllowed('GET')).get(watchAll(parts)).all(methodNotAllowed('GET'));
    },
  });
}
