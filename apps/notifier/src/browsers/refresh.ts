import type { JobStore } from '@offload/database';
import { startLoop, type Logger, type Loop } from '@offload/process';
import type { Hub } from './hub.ts';

/** Versions asked for at once. */
const VERSIONS = 1_000;
/** Jobs read at once: one may be megabytes. */
const JOBS = 10;

export interface RefreshParts {
  database: { jobs: Pick<JobStore, 'versions' | 'get'> };
  hub: Hub;
  log: Logger;
  /** How often it looks, in milliseconds. @default 30_000 */
  everyMs?: number;
  /** After a look that failed. @default 1_000 */
  retryMs?: number;
}

/**
 * Looks after those who watch one job: now and then, and when it is woken because events may have been missed, asks which
 * of the watched jobs have changed since, and shows those. Who misses an event without anybody's noticing (its sender had
 * lost the broker, say) hears of it that much later.
 */
export function startRefresh(parts: RefreshParts): Loop {
  const { log, everyMs = 30_000, retryMs = 1_000 } = parts;
  async function round(): Promise<number> {
    await refreshWatched(parts);
    return everyMs;
  }
  return startLoop({ name: 'refresh of watched jobs', round, retryMs, log });
}

/** One look. Ends early when the hub is closed. @throws when the database is away */
export async function refreshWatched({ database, hub }: Pick<RefreshParts, 'database' | 'hub'>): Promise<void> {
  for (const ids of chunks(hub.watchedJobs(), VERSIONS)) {
    if (hub.closed) return;
    const versions = await database.jobs.versions(ids);
    for (const id of ids) if (!versions.has(id)) hub.forget(id);
    for (const some of chunks([...versions.keys()].filter(isAhead), JOBS)) {
      if (hub.closed) return;
      await Promise.all(some.filter(isAhead).map(show));
    }

    /** Each as it comes: together they may be large. */
    async function show(id: string): Promise<void> {
      const job = await database.jobs.get(id);
      if (job) hub.show(job);
    }

    // Asked again before each is read: an event may have come meanwhile, or everybody gone.
    function isAhead(id: string): boolean {
      return (versions.get(id) as number) > hub.seenByAll(id);
    }
  }
}

function chunks<Item>(items: Item[], size: number): Item[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, at) => items.slice(at * size, (at + 1) * size));
}
