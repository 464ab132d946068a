import type { Pool } from 'pg';
import { hasStatus } from '../by-id.ts';
import { waitingSince } from '../queues.ts';

// A dispatch message that the broker has confirmed and lost leaves no trace but a number: there are more queued jobs than dispatch messages
// waiting in their queue.

/** The queued jobs of a queue, counted at one moment. */
export interface DispatchedCount {
  /**
   * Those without a dispatch message in the outbox: so many dispatch messages must be with the broker. 0 while the outbox has {@link MOST_PENDING}
   * dispatch messages or more.
   */
  dispatched: number;
  queued: number;
  /** How many of `queued` were so at the time of an earlier count. */
  remaining: number;
  /** When they were counted, in seconds by the database's clock. */
  at: number;
}

/** With so many dispatch messages still to send, in all queues, there is no telling which are lost. */
const MOST_PENDING = 10_000;

// The dispatch message of a queued job is due soon. Dispatch messages of scheduled jobs may be millions, and are not looked at.
const countSql = `
  with due as (
    select job_id from outbox where due_at < now() + interval '1 minute' order by due_at limit ${MOST_PENDING}
  ), pending as (
    select count(distinct job_id)::int as count from due, lateral (
      select from jobs where id = due.job_id and ${hasStatus('jobs', 'queued')} and queue = $1 offset 0
    ) as job
  ), waiting as (
    select count(*)::int as queued, (count(*) filter (where ${waitingSince} < to_timestamp($2)))::int as remaining
    from jobs where status = 'queued' and queue = $1
  )
  select case when (select count(*) from due) < ${MOST_PENDING} then queued - pending.count else 0 end as dispatched,
    queued, remaining, extract(epoch from date_trunc('milliseconds', now()))::float8 as at
  from waiting, pending`;

/** @param since `at` of an earlier count; with null nothing remains */
export async function countDispatched(pool: Pool, queue: string, since: number | null): Promise<DispatchedCount> {
  const { rows } = await pool.query<DispatchedCount>({
    name: 'count-dispatched',
    text: countSql,
    values: [queue, since],
  });
  return rows[0] as DispatchedCount;
}

/**
 * The oldest of these jobs: if dispatch messages are missing, it is theirs, since dispatch messages wait in order.
 *
 * @param limit how many dispatch messages are missing
 * @param settledMs only jobs that were due at least so long ago: a younger one's dispatch message may be under way. And only those
 *   of whose dispatch message no worker has said for so long that it has it
 */
export async function listDispatched(pool: Pool, queue: string, limit: number, settledMs: number): Promise<string[]> {
  const { rows } = await pool.query<{ id: string }>({
    name: 'list-dispatched',
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

const redispatchSql = `
  with lost as (
    select id from jobs as job where id = any($1::uuid[]) and status = 'queued'
      and not exists (select from outbox where job_id = job.id)
    order by id for update skip locked
  )
  insert into outbox (job_id, due_at) select id, now() from lost`;

/**
 * Has jobs dispatched again that are still queued and have no pending dispatch message. One whose dispatch message is not lost costs a refused claim.
 *
 * @returns how many are pending now
 */
export async function redispatchLostJobs(pool: Pool, jobIds: string[]): Promise<number> {
  const { rowCount } = await pool.query({ name: 'owe-lost-dispatches', text: redispatchSql, values: [jobIds] });
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
 * Every scheduled job has a pending dispatch message; one that does not was dispatched early, under a clock that has been set back since.
 *
 * @returns how many were stored
 */
export async function redispatchScheduledJobs(pool: Pool, limit: number): Promise<number> {
  const { rowCount } = await pool.query({ name: 'owe-scheduled-dispatches', text: scheduledSql, values: [limit] });
  return rowCount ?? 0;
}
