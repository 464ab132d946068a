import type { Pool } from 'pg';
import { hasStatus } from '../by-id.ts';
import { waitingSince } from '../queues.ts';

/**
 * The queued jobs of a queue, counted at one moment. A dispatch message that the broker has confirmed and then lost
 * leaves no trace but this: there are more queued jobs than dispatch messages in the queue.
 */
export interface DispatchedCount {
  /**
   * Queued jobs without a dispatch message in the outbox: the broker must hold a dispatch message for each. 0 while the
   * outbox has {@link MOST_PENDING} dispatch messages or more.
   */
  dispatched: number;
  /** All queued jobs. */
  queued: number;
  /** How many of `queued` were queued at the time of an earlier count. */
  remaining: number;
  /** When they were counted, in seconds by the database's clock. */
  at: number;
}

/** With this many dispatch messages to send, in all queues, the count can't tell which are lost. */
const MOST_PENDING = 10_000;

// The dispatch message of a queued job is due soon. Those of scheduled jobs may be millions, and are not read.
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

/**
 * Counts the queued jobs of a queue.
 *
 * @param since `at` of an earlier count; with null nothing remains
 */
export async function countDispatched(pool: Pool, queue: string, since: number | null): Promise<DispatchedCount> {
  const { rows } = await pool.query<DispatchedCount>({
    name: 'count-dispatched',
    text: countSql,
    values: [queue, since],
  });
  return rows[0] as DispatchedCount;
}

/**
 * Lists the oldest jobs whose dispatch messages may be lost. Dispatch messages wait in order, so missing ones belong to
 * the oldest jobs.
 *
 * @param limit how many dispatch messages are missing
 * @param settledMs only jobs that were due at least this many milliseconds ago, because a younger job's dispatch
 *   message may be on its way. A job is left out if a worker has reported its dispatch message since then
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
 * Stores dispatch messages again for jobs that are still queued and have none in the outbox. If a dispatch message is
 * not lost after all, its second copy costs a refused claim.
 *
 * @returns how many it stored
 */
export async function redispatchLostJobs(pool: Pool, jobIds: string[]): Promise<number> {
  const { rowCount } = await pool.query({ name: 'redispatch-lost', text: redispatchSql, values: [jobIds] });
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
 * Stores missing dispatch messages of scheduled jobs. One is missing if it was sent early by a clock that was set back
 * later.
 *
 * @returns how many it stored
 */
export async function redispatchScheduledJobs(pool: Pool, limit: number): Promise<number> {
  const { rowCount } = await pool.query({ name: 'redispatch-scheduled', text: scheduledSql, values: [limit] });
  return rowCount ?? 0;
}
