import type { Pool } from 'pg';
import { hasStatus } from '../by-id.ts';
import { waitingSince } from '../queues.ts';

// A ring that the broker has confirmed and lost leaves no trace but a number: there are more queued jobs than rings
// waiting in their queue.

/** The queued jobs of a queue, counted at one moment. */
export interface RungCount {
  /**
   * Those without a ring in the outbox: so many rings must be with the broker. 0 while the outbox has {@link MOST_OWED}
   * rings or more.
   */
  rung: number;
  queued: number;
  /** How many of `queued` were so at the time of an earlier count. */
  remaining: number;
  /** When they were counted, in seconds by the database's clock. */
  at: number;
}

/** With so many rings still to send, in all queues, there is no telling which are lost. */
const MOST_OWED = 10_000;

// The ring of a queued job is due soon. Rings of scheduled jobs may be millions, and are not looked at.
const countSql = `
  with due as (
    select job_id from outbox where due_at < now() + interval '1 minute' order by due_at limit ${MOST_OWED}
  ), owed as (
    select count(distinct job_id)::int as count from due, lateral (
      select from jobs where id = due.job_id and ${hasStatus('jobs', 'queued')} and queue = $1 offset 0
    ) as job
  ), waiting as (
    select count(*)::int as queued, (count(*) filter (where ${waitingSince} < to_timestamp($2)))::int as remaining
    from jobs where status = 'queued' and queue = $1
  )
  select case when (select count(*) from due) < ${MOST_OWED} then queued - owed.count else 0 end as rung,
    queued, remaining, extract(epoch from date_trunc('milliseconds', now()))::float8 as at
  from waiting, owed`;

/** @param since `at` of an earlier count; with null nothing remains */
export async function countRung(pool: Pool, queue: string, since: number | null): Promise<RungCount> {
  const { rows } = await pool.query<RungCount>({ name: 'count-rung', text: countSql, values: [queue, since] });
  return rows[0] as RungCount;
}

/**
 * The oldest of these jobs: if rings are missing, it is theirs, since rings wait in order.
 *
 * @param limit how many rings are missing
 * @param settledMs only jobs that were due at least so long ago: a younger one's ring may be under way. And only those
 *   of whose ring no worker has said for so long that it has it
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
