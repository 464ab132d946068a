import type { JobDefinitions } from '@offload/jobs/job-types';
import { atMost, type Handler } from '@offload/worker';
import { holdThread, profileInThread, THREADS } from './csv.profile.pool.ts';

/**
 * Profiles a CSV in a thread, so that the event loop stays free (the broker's heartbeats depend on it). How each figure
 * comes about stands in `csv.profile.column.ts`, what counts as a CSV in `csv.profile.records.ts`, which
 * encodings are read in `csv.profile.text.ts`, and how the separator is found out in `csv.profile.layout.ts`.
 *
 * A CSV that can't be read is a permanent failure that names the line. For downloads: 5xx, 429 and network faults are
 * retried, other statuses, refused targets and files over 64 MiB are permanent. Aborting ends the thread at once; the
 * next job is claimed when another has started.
 */
export const csvProfile: Handler<JobDefinitions['csvProfile']> = atMost(
  THREADS,
  ({ csv, url, separator }, { outbound, signal }) =>
    profileInThread({ csv, url, separator, allowPrivateTargets: outbound.allowPrivateTargets }, signal),
  holdThread,
);
