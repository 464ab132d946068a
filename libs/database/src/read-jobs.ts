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

/** Newest first: ids are UUIDv7, so their order is the order of creation. */
export async function listJobs(prisma: PrismaClient, { status, beforeId, limit }: JobFilter): Promise<Job[]> {
  const rows = await prisma.job.findMany({
    where: { ...(status && { status }), ...(beforeId && { id: { lt: beforeId } }) },
    orderBy: { id: 'desc' },
    take: limit,
  });
  return rows.map(toJob);
}
