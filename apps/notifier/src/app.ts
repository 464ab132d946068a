import type { Database } from '@offload/database';
import type { Connection } from '@offload/messaging';
import { answers, createHttpService, methodNotAllowed, type AllowedHosts } from '@offload/http';
import { type ApiKey, authenticate, authenticateWatcher, eventTokensFor, requireScope } from '@offload/access';
import { type Logger, type Registry } from '@offload/process';
import type { Express } from 'express';
import type { Hub } from './browsers/hub.ts';
import { limitStreams } from './browsers/limit-streams.ts';
import { watchAll } from './browsers/watch-all.ts';
import { watchJob } from './browsers/watch-job.ts';

/** What `createApp` needs. */
export interface AppParts {
  database: Database;
  broker: Connection;
  hub: Hub;
  metrics: Registry;
  log: Logger;
  notifierUrl: string;
  /** Most bytes of large jobs that are sent and not yet read. @default see `HttpServiceOptions` */
  maxBytesInFlight?: number;
  /** Most event streams of one client. @default 1_000 */
  maxStreams?: number;
  /** The API keys of clients that may read. Without any, every client may. @default [] */
  keys?: readonly ApiKey[];
  /** Secrets that sign event tokens. @default none: see `eventTokensFor` */
  eventTokenSecrets?: readonly string[];
  /** Origins whose pages may call from a browser, or `*`. @default [] */
  corsOrigins?: readonly string[];
  /** Hosts that requests may name. @default any */
  allowedHosts?: AllowedHosts;
}

/** Makes the notifier's application with its routes. */
export function createApp(parts: AppParts): Express {
  const { keys = [], eventTokenSecrets = [], corsOrigins = [], allowedHosts = 'any', maxBytesInFlight } = parts;
  return createHttpService({
    log: parts.log,
    metrics: parts.metrics,
    corsOrigins,
    allowedHosts,
    ...(maxBytesInFlight !== undefined && { maxBytesInFlight }),
    checks: {
      database: { required: true, check: answers(() => parts.database.ping()) },
      broker: { required: true, check: () => (parts.broker.state === 'open' ? null : parts.broker.state) },
    },
    routes(app) {
      const byKey = authenticate(keys);
      const mayWatch = [
        authenticateWatcher(keys, eventTokensFor(keys, eventTokenSecrets)),
        requireScope('read'),
        limitStreams(parts.maxStreams ?? 1_000),
      ];
      const onlyGet = [byKey, methodNotAllowed('GET')]; // no HEAD: a stream never ends, so its headers are not final
      app.route('/v1/jobs/:id/events').head(onlyGet).get(mayWatch, watchJob(parts)).all(onlyGet);
      app.route('/v1/events').head(onlyGet).get(mayWatch, watchAll(parts)).all(onlyGet);
      app.use('/v1', byKey); // only clients with a key learn that a path does not exist
    },
  });
}
