import type { Job } from '@offload/jobs';
import type { Pool } from 'pg';
import { plainArray } from '../array-literal.ts';
import { hasStatus, isOneOf } from '../by-id.ts';
import { briefColumns, toBriefJob, type BriefRow } from '../job-row.ts';

/** A dispatch message the broker has not confirmed yet. */
export interface PendingDispatch {
  outboxId: string;
  jobId: string;
  type: string;
  queue: string;
  priority: number;
  /** W3C trace context of the request that made the job. */
  traceparent: string | null;
}

const takeSql = `
  with due as (
    select id from outbox where due_at <= now() order by due_at limit $1 for update skip locked
  ), taken as (
    update outbox set due_at = now() + $2 * interval '1 millisecond' where ${isOneOf('outbox', 'due')}
    returning outbox.id, outbox.job_id
  )
  select taken.id as "outboxId", job.id as "jobId", job.type, job.queue, job.priority, job.traceparent
  from taken left join lateral (select * from jobs where id = taken.job_id offset 0) as job on true`;

/**
 * Takes dispatch messages that are due, for the caller alone during `graceMs`: when it has not confirmed them by then (it died, or
 * the broker is away), they are due again. What somebody has left behind who deleted jobs by hand is removed.
 */
export async function takeDueDispatches(pool: Pool, limit: number, graceMs: number): Promise<PendingDispatch[]> {
  type Taken = PendingDispatch | { outboxId: string; jobId: null };
  const { rows } = await pool.query<Taken>({
    name: 'take-pending-dispatches',
    text: takeSql,
    values: [limit, graceMs],
  });
  const orphans = rows.filter(({ jobId }) => jobId === null).map(({ outboxId }) => outboxId);
  if (orphans.length > 0) await pool.query('delete from outbox where id = any($1)', [orphans]);
  return rows.filter((row) => row.jobId !== null);
}

/** Has dispatch messages that were taken due in so many milliseconds: their queue is known not to take them before. */
export async function putOffDispatches(pool: Pool, outboxIds: readonly string[], ms: number): Promise<void> {
  await pool.query({
    name: 'put-off-dispatches',
    text: `update outbox set due_at = now() + $2 * interval '1 millisecond' where id = any($1::bigint[])`,
    values: [outboxIds, ms],
  });
}

// The worker may have claimed, failed and rescheduled the job already: then due_at is in the future and the job stays as
// it is. Workers claim the very jobs that are confirmed here, so the rows are locked in the same order as there.
const confirmSql = `
  with gone as (
    delete from outbox where id = any($1::bigint[]) returning id, job_id
  ), due as (
    select held.id, gone.id as outbox_id from (select * from gone order by job_id) as gone cross join lateral (
      select id from jobs
      where id = gone.job_id and ${hasStatus('jobs', 'scheduled')} and due_at <= now() for update
    ) as held
  )
  update jobs as job set status = 'queued', version = version + 1
  from due where job.id = due.id and ${isOneOf('job', 'due')}
  returning ${briefColumns}, due.outbox_id as "outboxId"`;

/**
 * The broker has these dispatch messages, so they are pending no more; scheduled → queued.
 *
 * @returns for each the job without payload, result and errors, which may be megabytes, or null where its status did not
 *   change
 */
export async function confirmDispatches(pool: Pool, outboxIds: string[]): Promise<(Job | null)[]> {
  const { rows } = await pool.query<BriefRow & { outboxId: string }>({
    name: 'confirm-dispatches',
    text: confirmSql,
    values: [plainArray(outboxIds)],
  });
  const queued = new Map(rows.map((row) => [row.outboxId, toBriefJob(row)]));
  return outboxIds.map((id) => queued.get(id) ?? null);
}

/** Milliseconds until the next dispatch message is due, by the database's clock: 0 or less when one is due, null when none is pending. */
export async function msUntilNextDispatch(pool: Pool): Promise<number | null> {
  const { rows } = await pool.query<{ ms: number | null }>({
    name: 'next-dispatch',
    text: `select (extract(epoch from min(due_at) - now()) * 1000)::float8 as ms from outbox`,
  });
  return rows[0]?.ms ?? null;
}
