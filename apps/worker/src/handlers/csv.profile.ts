import type { JobDefinitions } from '@offload/jobs/job-types';
import { atMost, type Handler } from '@offload/worker';
import { holdThread, profileInThread, THREADS } from './csv.profile.pool.ts';

/**
 * Profiles a CSV in a thread, so that the event loop stays free for the broker's heartbeats. See
 * `csv.profile.column.ts` for the figures, `csv.profile.records.ts` for valid CSV, `csv.profile.text.ts` for the
 * encodings, and `csv.profile.layout.ts` for the separators.
 *
 * An invalid CSV is a permanent failure that names the line. In downloads, 5xx, 429 and network faults are retried;
 * other statuses, refused targets and files over 64 MiB are permanent. An abort ends the thread at once; the worker
 * claims the next job when a new thread has started.
 */
export const csvProfile: Handler<JobDefinitions['csvProfile']> = atMost(
  THREADS,
  ({ csv, url, separator }, { outbound, signal }) =>
    profileInThread({ csv, url, separator, allowPrivateTargets: outbound.allowPrivateTargets }, signal),
  holdThread,
);
