import { afterAll } from '@jest/globals';
import { freshDatabaseUrl } from '@offload/spec-kit';
import pg from 'pg';
import { idsFrom } from './ids-from.ts';
import type { JobFilter, Reach } from './look-for-jobs.ts';
import { migrate } from './migrate.ts';
import { openDatabase } from './open-database.ts';
import { listJobs, type JobPage } from './read-jobs.ts';

const opened: { close(): Promise<void> }[] = [];
afterAll(async () => void (await Promise.all(opened.map((each) => each.close()))));

export async function setup() {
  const url = freshDatabaseUrl();
  await migrate(url);
  const database = openDatabase({ url });
  const sql = new pg.Pool({ connectionString: url });
  opened.push(database, { close: () => sql.end() });
  return {
    database,
    sql,
    look: (within: Reach, filter: JobFilter): Promise<JobPage> => listJobs(sql, filter, within),
    list: async (filter: JobFilter) => (await database.jobs.list(filter)).jobs.map(({ id }) => id),
    /** Every page until there is no next one. */
    async walk(filter: JobFilter): Promise<string[][]> {
      const pages: string[][] = [];
      for (let beforeId = filter.beforeId; ;) {
        const { jobs, next } = await database.jobs.list({ ...filter, beforeId });
        pages.push(jobs.map(({ id }) => id));
        if (next === null) return pages;
        beforeId = next;
      }
    },
  };
}

const policy = { maxAttempts: 3, timeoutMs: 1_000, backoff: { baseMs: 10, factor: 2, maxMs: 100 }, runAt: null };
export const job = { type: 'demo.sleep', queue: 'default', priority: 0, tags: [], payload: {}, delayMs: 0, ...policy };

/** Ten jobs, in the order of creation, as with UUIDv7; the even ones are scheduled. */
export async function tenJobs() {
  const world = await setup();
  const ids = Array.from({ length: 10 }, (_, index) => `019ac000-0000-7000-8000-00000000000${index}`);
  await Promise.all(
    ids.map((id, index) => world.database.jobs.create({ ...job, id, delayMs: index % 2 ? 0 : 60_000 })),
  );
  return { ...world, ids, newestFirst: [...ids].reverse() };
}

export const MINUTE_MS = 60_000;
export const start = Date.parse('2026-11-01T00:00:00Z');

/** The id of the job that was made so many minutes after the start. */
export const idAt = (minute: number) => idsFrom(start + minute * MINUTE_MS);
