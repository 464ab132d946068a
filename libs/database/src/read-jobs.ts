import type { Job } from '@offload/jobs';
import type { Pool } from 'pg';
import { briefColumns, jobColumns, toBriefJob, toJob, type BriefRow, type JobRow } from './job-row.ts';
import { lookForJobs, type JobFilter, type Reach } from './look-for-jobs.ts';

/** One page of a list of jobs. */
export interface JobPage {
  /** The jobs, newest first. */
  jobs: Job[];
  /** The `beforeId` of the next page; null if this is the last page. */
  next: string | null;
}

/**
 * Most bytes of payloads, results and errors that are read at once. The job that reaches this bound is the last. A
 * single job may have megabytes, and all jobs of a statement are in memory together.
 */
const MOST_BYTES = 2 * 1024 * 1024;

// Goes from job to job, each by its id, and no further than needed: PostgreSQL must unpack a job to know its size. A
// bound after the reading of the rows would have all of them in memory first.
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
 * Reads as many of these jobs as may be in memory at once, from the first one on: at least one.
 *
 * @returns the job of each id, or null if there is none, up to the first job that was not read
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

/**
 * Reads these jobs without payload, result and errors.
 *
 * @returns the job of each id, or null if there is none
 */
export async function readBriefJobs(pool: Pool, ids: readonly string[]): Promise<(Job | null)[]> {
  const { rows } = await pool.query<BriefRow>({
    name: 'read-brief-jobs',
    text: `select ${briefColumns} from jobs as job where id = any($1::uuid[])`,
    values: [ids],
  });
  const found = new Map(rows.map((row) => [row.id, toBriefJob(row)]));
  return ids.map((id) => found.get(id.toLowerCase()) ?? null);
}

// The status is checked again, because only the status may have changed since the job was found.
const readFound = {
  name: 'read-found-jobs',
  text: `select ${jobColumns} from jobs as job
    where id = any($1::uuid[]) and ($2::job_status is null or status = $2) order by id desc`,
};

/**
 * Lists jobs, newest first: ids are UUIDv7, so their order is the order of creation. A page costs the database about
 * the same for any number of jobs and any filter.
 *
 * @returns at most `limit` jobs. It may return fewer, even none, if jobs are large or few examined rows match. Only a
 *   `next` of null means that there are no more
 */
export async function listJobs(pool: Pool, filter: JobFilter, reach?: Reach): Promise<JobPage> {
  const { ids, next } = await lookForJobs(pool, filter, reach);
  const { rows } = await pool.query<{ count: number }>({ ...fitFirst, values: [ids] });
  const fits = ids.slice(0, rows[0]?.count);
  const jobs = await pool.query<JobRow>({ ...readFound, values: [fits, filter.status ?? null] });
  return { jobs: jobs.rows.map(toJob), next: fits.length < ids.length ? (fits.at(-1) as string) : next };
}
