import type { Pool } from 'pg';

const DAY_MS = 24 * 60 * 60 * 1000;

const sql = `
  delete from jobs where id in (
    select id from jobs
    where status = any('{succeeded,failed,cancelled}') and id < $1
      and finished_at < now() - $2 * interval '1 millisecond'
    order by id limit $3 for update skip locked
  )`;

/**
 * Deletes jobs that were finished more than `days` days ago, oldest first. Ids are UUIDv7, so the index by status and id
 * leads to those that are old enough; their rows alone are locked.
 *
 * @param limit most jobs at once
 * @returns how many were deleted
 */
export async function pruneJobs(pool: Pool, days: number, limit: number): Promise<number> {
  // A job can't be finished before it is created. A day more, in case the clock that made the ids was ahead.
  const createdBefore = idsFrom(Date.now() - (days - 1) * DAY_MS);
  const { rowCount } = await pool.query({
    name: 'prune-jobs',
    text: sql,
    values: [createdBefore, days * DAY_MS, limit],
  });
  return rowCount ?? 0;
}

/** The lowest UUIDv7 of a moment (RFC 9562 section 5.7). */
function idsFrom(unixMs: number): string {
  const hex = Math.max(0, unixMs).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`;
}
