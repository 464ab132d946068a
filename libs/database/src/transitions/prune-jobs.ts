import type { Pool } from 'pg';
import { idsFrom } from '../ids-from.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

const sql = `
  with old as (
    select id from jobs
    where status = any('{succeeded,failed,cancelled}') and id < $1
      and finished_at < now() - $2 * interval '1 millisecond'
      and not exists (select from webhook_deliveries where job_id = jobs.id and status = 'pending')
    order by id limit $3 for update skip locked
  ), unneeded as (
    delete from outbox where id in (
      select outbox.id from outbox join old on outbox.job_id = old.id for update of outbox skip locked
    )
  )
  delete from jobs using old where jobs.id = old.id`;

/**
 * Deletes jobs that were finished more than `days` days ago, oldest first. Ids are UUIDv7, so the index by status and id
 * leads to those that are old enough; their rows alone are locked. One whose webhook is still pending stays.
 * A dispatch message that somebody is at is left to the relay, which removes it when its job is gone.
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
