import type { Pool } from 'pg';

// A ring that the broker has confirmed and lost leaves no trace but a number: there are more queued jobs than rings
// waiting in their queue.

/** How many jobs of a queue are queued although no ring is owed for them: so many rings must be with the broker. */
export async function countRung(pool: Pool, queue: string): Promise<number> {
  const { rows } = await pool.query<{ count: number }>({
    name: 'count-rung',
    text: `select count(*)::int as count from jobs as job where status = 'queued' and queue = $1
      and not exists (select from outbox where job_id = job.id)`,
    values: [queue],
  });
  return rows[0]?.count ?? 0;
}

/**
 * The oldest of these jobs: if rings are missing, it is theirs, since rings wait in order.
 *
 * @param limit how many rings are missing
 * @param settledMs only jobs that were due at least so long ago: a younger one's ring may be under way. And only those of
 *   whose ring no worker has said for so long that it has it
 */
export async function listRung(pool: Pool, queue: string, limit: number, settledMs: number): Promise<string[]> {
  const { rows } = await pool.query<{ id: string }>({
    name: 'list-rung',
    text: `select id from (
        select id, held_at from jobs as job where status = 'queued' and queue = $1
          and due_at < now() - $3 * interval '1 millisecond'
          and not exists (select from outbox where job_id = job.id)
        order by id limit $2
      ) as missing
      where held_at is null or held_at < now() - $3 * interval '1 millisecond'
      order by id`,
    values: [queue, limit, settledMs],
  });
  return rows.map(({ id }) => id);
}

const oweSql = `
  with lost as (
    select id from jobs as job where id = any($1::uuid[]) and status = 'queued'
      and not exists (select from outbox where job_id = job.id)
    order by id for update skip locked
  )
  insert into outbox (job_id, due_at) select id, now() from lost`;

/**
 * Has jobs rung again that are still queued and owe no ring. One whose ring is not lost costs a refused claim.
 *
 * @returns how many are owed now
 */
export async function oweLostRings(pool: Pool, jobIds: string[]): Promise<number> {
  const { rowCount } = await pool.query({ name: 'owe-lost-rings', text: oweSql, values: [jobIds] });
  return rowCount ?? 0;
}

const scheduledSql = `
  with lost as (
    select id, due_at from jobs as job where status = 'scheduled'
      and not exists (select from outbox where job_id = job.id)
    order by id limit $1 for update skip locked
  )
  insert into outbox (job_id, due_at) select id, due_at from lost`;

/**
 * Every scheduled job owes a ring; one that does not was rung early, under a clock that has been set back since.
 *
 * @returns how many owe it again
 */
export async function oweScheduledRings(pool: Pool, limit: number): Promise<number> {
  const { rowCount } = await pool.query({ name: 'owe-scheduled-rings', text: scheduledSql, values: [limit] });
  return rowCount ?? 0;
}
