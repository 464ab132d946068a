import type { Job, JobStatus } from '@offload/contracts';
import type { PrismaClient } from './generated/prisma/client.ts';
import { toJob } from './job-row.ts';

export interface JobFilter {
  status?: JobStatus | undefined;
  /** Only jobs older than this one: the keyset cursor. */
  beforeId?: string | undefined;
  /** At most this many. */
  limit: number;
}

/** @returns for each id the job, or null when there is none */
export async function getJobs(prisma: PrismaClient, ids: string[]): Promise<(Job | null)[]> {
  const rows = await prisma.job.findMany({ where: { id: { in: ids } } });
  const found = new Map(rows.map((row) => [row.id, toJob(row)]));
  return ids.map((id) => found.get(id.toLowerCase()) ?? null);
}

/** Rows read at once: a job may be megabytes. */
const CHUNK = 10;
/** A page ends early when what clients and handlers put into its jobs is longer than this, in characters of JSON. */
const PAGE_LENGTH = 8 * 1024 * 1024;

/**
 * Newest first: ids are UUIDv7, so their order is the order of creation.
 *
 * @returns at most `limit` jobs, fewer when they are large, and whether there are more
 */
export async function listJobs(
  prisma: PrismaClient,
  { status, beforeId, limit }: JobFilter,
): Promise<{ jobs: Job[]; more: boolean }> {
  const jobs: Job[] = [];
  let length = 0;
  for (let before = beforeId; ; before = jobs.at(-1)?.id) {
    const take = Math.min(CHUNK, limit - jobs.length + 1); // one more than asked for tells whether there are more
    const where = { ...(status && { status }), ...(before && { id: { lt: before } }) };
    const rows = await prisma.job.findMany({ where, orderBy: { id: 'desc' }, take });
    for (const row of rows) {
      if (jobs.length === limit || length > PAGE_LENGTH) return { jobs, more: true };
      jobs.push(toJob(row));
      length += JSON.stringify([row.payload, row.result]).length;
    }
    if (rows.length < take) return { jobs, more: false };
  }
}
