import type { Job } from '@offload/contracts';
import type { Pool } from 'pg';
import type { PrismaClient } from './generated/prisma/client.ts';
import { toJob } from './job-row.ts';
import { lookForJobs, type JobFilter, type Reach } from './look-for-jobs.ts';

export interface JobPage {
  jobs: Job[];
  /** The `beforeId` of the next page; null when there is nothing more. */
  next: string | null;
}

/** @returns for each id the job, or null when there is none */
export async function getJobs(prisma: PrismaClient, ids: string[]): Promise<(Job | null)[]> {
  const rows = await prisma.job.findMany({ where: { id: { in: ids } } });
  const found = new Map(rows.map((row) => [row.id, toJob(row)]));
  return ids.map((id) => found.get(id.toLowerCase()) ?? null);
}

/** A page ends early when what clients and handlers put into its jobs is longer than this, in characters of JSON. */
const PAGE_LENGTH = 2 * 1024 * 1024;
/** Most rows read at once. A job may be megabytes, so how many are depends on how large those before them were. */
const MOST_ROWS = 50;

/**
 * Newest first: ids are UUIDv7, so their order is the order of creation. However many jobs there are and whatever the
 * filter, a page costs the database about the same.
 *
 * @returns at most `limit` jobs; fewer, even none, when they are large or few of those looked at pass the filter. Only
 *   where `next` is null there are no more
 */
export async function listJobs(pool: Pool, prisma: PrismaClient, filter: JobFilter, reach?: Reach): Promise<JobPage> {
  const { ids, next } = await lookForJobs(pool, filter, reach);
  const jobs: Job[] = [];
  let length = 0;
  for (let start = 0, rows = 1; start < ids.length;) {
    if (length > PAGE_LENGTH) return { jobs, next: ids[start - 1] as string };
    // Its status is the one thing of a job's that may have changed since it was found.
    const where = { id: { in: ids.slice(start, start + rows) }, ...(filter.status && { status: filter.status }) };
    start += rows;
    for (const row of await prisma.job.findMany({ where, orderBy: { id: 'desc' } })) {
      if (length > PAGE_LENGTH) return { jobs, next: jobs.at(-1)?.id ?? null };
      jobs.push(toJob(row));
      length += JSON.stringify([row.payload, row.result]).length;
    }
    rows = Math.min(MOST_ROWS, Math.max(1, Math.floor((PAGE_LENGTH * start) / (length + 1))));
  }
  return { jobs, next };
}
