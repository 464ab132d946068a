import type { JobStore } from '@offload/database';
import { startLoop, type Logger, type Loop } from '@offload/process';
import type { Hub } from './hub.ts';

/** Job versions in one query. */
const VERSIONS = 1_000;
/** Jobs that are read at once, because one may be megabytes. */
const JOBS = 10;

/** What `startRefresh` needs. */
export interface RefreshParts {
  database: { jobs: Pick<JobStore, 'versions' | 'get'> };
  hub: Hub;
  log: Logger;
  /** Interval between two refreshes, in milliseconds. @default 30_000 */
  everyMs?: number;
  /** Pause after a failed refresh, in milliseconds. @default 1_000 */
  retryMs?: number;
}

/**
 * Reads watched jobs again in case an event was lost: at an interval, and when it is woken after a lost connection. It
 * queries which of the watched jobs have changed since they were shown, and shows those. An event may be lost
 * unnoticed, when its sender loses the broker for example.
 */
export function startRefresh(parts: RefreshParts): Loop {
  const { log, everyMs = 30_000, retryMs = 1_000 } = parts;
  async function round(): Promise<number> {
    await refreshWatched(parts);
    return everyMs;
  }
  return startLoop({ name: 'refresh of watched jobs', round, retryMs, log });
}

/** Refreshes once. Ends early when the hub is closed. @throws Error when the database is away */
export async function refreshWatched({ database, hub }: Pick<RefreshParts, 'database' | 'hub'>): Promise<void> {
  for (const ids of chunks(hub.watchedJobs(), VERSIONS)) {
    if (hub.closed) return;
    const versions = await database.jobs.versions(ids);
    for (const id of ids) if (!versions.has(id)) hub.forget(id);
    for (const some of chunks([...versions.keys()].filter(isAhead), JOBS)) {
      if (hub.closed) return;
      await Promise.all(some.filter(isAhead).map(show));
    }

    /** Shows one job after the other, because together they may be large. */
    async function show(id: string): Promise<void> {
      const job = await database.jobs.get(id);
      if (job) hub.show(job);
    }

    // Checked again before each read: an event may have arrived meanwhile, or all watchers may have left.
    function isAhead(id: string): boolean {
      return (versions.get(id) as number) > hub.seenByAll(id);
    }
  }
}

function chunks<Item>(items: Item[], size: number): Item[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, at) => items.slice(at * size, (at + 1) * size));
}
