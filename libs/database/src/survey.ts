import type { Pool } from 'pg';

/** What the database says about the jobs of one queue that are not finished. */
export interface QueueSurvey {
  queue: string;
  scheduled: number;
  /** queued, their dispatch message still pending */
  pending: number;
  /** queued, their dispatch message confirmed by the broker */
  dispatched: number;
  running: number;
}

/** A running job and who has it. */
export interface RunningJob {
  id: string;
  type: string;
  queue: string;
  attempt: number;
  /** null where it was claimed by a version of this software that did not write it down */
  holder: string | null;
  /** how long ago the holder last said so, in milliseconds */
  silentMs: number;
  cancelRequested: boolean;
}

export interface Survey {
  queues: QueueSurvey[];
  /** At most 1,000, the longest silent first. */
  running: RunningJob[];
  /** Dispatch messages that are pending and due: the relay is behind, or the broker away. */
  overdue: { count: number; oldestMs: number };
  /** Scheduled jobs for which no dispatch message is pending: they would never be dispatched. */
  undispatched: number;
}

const queuesSql = `
  select queue, count(*) filter (where status = 'scheduled')::int as scheduled,
    count(*) filter (where status = 'queued' and pending)::int as pending,
    count(*) filter (where status = 'queued' and not pending)::int as dispatched,
    count(*) filter (where status = 'running')::int as running,
    count(*) filter (where status = 'scheduled' and not pending)::int as undispatched
  from (
    select queue, status, exists (select from outbox where job_id = job.id) as pending from jobs as job
    where status in ('scheduled', 'queued', 'running')
  ) as unfinished
  group by queue order by queue`;

const runningSql = `
  select id, type, queue, attempt, holder, cancel_requested as "cancelRequested",
    (extract(epoch from now() - coalesce(held_at, started_at)) * 1000)::float8 as "silentMs"
  from jobs where status = 'running' order by coalesce(held_at, started_at) limit 1000`;

const overdueSql = `
  select count(*)::int as count, coalesce(extract(epoch from now() - min(due_at)) * 1000, 0)::float8 as "oldestMs"
  from outbox where due_at <= now()`;

/** Counts what is not finished: a full look, for people, not for each second. */
export async function survey(pool: Pool): Promise<Survey> {
  const queues = await pool.query<QueueSurvey & { undispatched: number }>(queuesSql);
  const runningJobs = await pool.query<RunningJob>(runningSql);
  const overdue = await pool.query<Survey['overdue']>(overdueSql);
  return {
    queues: queues.rows.map(({ queue, scheduled, pending, dispatched, running }) => ({
      queue,
      scheduled,
      pending,
      dispatched,
      running,
    })),
    running: runningJobs.rows,
    overdue: overdue.rows[0] ?? { count: 0, oldestMs: 0 },
    undispatched: queues.rows.reduce((sum, { undispatched }) => sum + undispatched, 0),
  };
}
