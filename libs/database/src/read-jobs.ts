import type { Job } from '@offload/jobs';
import type { Pool } from 'pg';
import { briefColumns, jobColumns, toBriefJob, toJob, type BriefRow, type JobRow } from './job-row.ts';
import { lookForJobs, type JobFilter, type Reach } from './look-for-jobs.ts';

export interface JobPage {
  jobs: Job[];
  /** The `beforeId` of the next page; null when there is nothing more. */
  next: string | null;
}

/**
 * What clients and handlers put into the jobs that are read at once, in bytes of JSON: the job that reaches this bound is
 * the last. One may be megabytes, and all of a statement are in memory together.
 */
const MOST_BYTES = 2 * 1024 * 1024;

// From job to job, each by its id, and no further than needed: PostgreSQL has to unpack a job to know its size. A bound
// behind the reading of the rows would have them all in memory first.
const fitting = `
  with recursive fitting(place, before) as (
    select 1, 0::bigint
    union all
    select place + 1, before + coalesce(bytes, 0) from fitting left join lateral (
      select octet_length(payload::text) + coalesce(octet_length(result::text), 0) + octet_length(errors::text) as bytes
      from jobs where id = ($1::uuid[])[place] offset 0
    ) as job on true
    where place < cardinality($1::uuid[]) and before + coalesce(bytes, 0) < ${MOST_BYTES}
  )`;
const readFirst = {
  name: 'read-first-jobs',
  text: `${fitting}
    select ${jobColumns} from fitting
    left join lateral (select * from jobs where id = ($1::uuid[])[place] offset 0) as job on true
    order by place`,
};
const fitFirst = { name: 'fit-first-jobs', text: `${fitting} select max(place) as count from fitting` };

/**
 * Reads as many of these jobs as may be in memory at once, from the first on: one at least.
 *
 * @returns for each id, up to the first that is not read, the job, or null when there is none
 */
export async function readFirstJobs(pool: Pool, ids: readonly string[]): Promise<(Job | null)[]> {
  if (ids.length === 0) return [];
  const wanted = ids.map((id) => id.toLowerCase());
  const different = [...new Set(wanted)];
  const { rows } = await pool.query<JobRow | { id: null }>({ ...readFirst, values: [different] });
  const read = new Map(rows.map((row, place) => [different[place], row.id === null ? null : toJob(row)]));
  const end = wanted.findIndex((id) => !read.has(id));
  return (end < 0 ? wanted : wanted.slice(0, end)).map((id) => read.get(id) ?? null);
}

/** @returns for each id the job without what may be large of it, or null when there is none */
export async function readBriefJobs(pool: Pool, ids: readonly string[]): Promise<(Job | null)[]> {
  const { rows } = await pool.query<BriefRow>({
    name: 'read-brief-jobs',
    text: `select ${briefColumns} from jobs as job where id = any($1::uuid[])`,
    values: [ids],
  });
  const found = new Map(rows.map((row) => [row.id, toBriefJob(row)]));
  return ids.map((id) => found.get(id.toLowerCase()) ?? null);
}

// Its status is the one thing of a job's that may have changed since it was found.
const readFound = {
  name: 'read-found-jobs',
  text: `select ${jobColumns} from jobs as job
    where id = any($1::uuid[]) and ($2::job_status is null or status = $2) order by id desc`,
};

/**
 * Newest first: ids are UUIDv7, so their order is the order of creation. However many jobs there are and whatever the
 * filter, a page costs the database about the same.
 *
 * @returns at most `limit` jobs; fewer, even none, when they are large or few of those looked at pass the filter. Only
 *   where `next` is null there are no more
 */
export async function listJobs(pool: Pool, filter: JobFilter, reach?: Reach): Promise<JobPage> {
  const { ids, next } = await lookForJobs(pool, filter, reach);
  const { rows } = await pool.query<{ count: number }>({ ...fitFirst, values: [ids] });
  const fits = ids.slice(0, rows[0]?.count);
  const jobs = await pool.query<JobRow>({ ...readFound, values: [fits, filter.status ?? null] });
  return { jobs: jobs.rows.map(toJob), next: fits.length < ids.length ? (fits.at(-1) as string) : next };
}
