import type { Pool } from 'pg';

/** The unfinished jobs of one queue. */
export interface QueueSurvey {
  queue: string;
  scheduled: number;
  /** Queued jobs whose dispatch message is pending in the outbox. */
  pending: number;
  /** Queued jobs whose dispatch message the broker has confirmed. */
  dispatched: number;
  running: number;
}

/** A running job and its holder. */
export interface RunningJob {
  id: string;
  type: string;
  queue: string;
  attempt: number;
  /** The worker that runs it; null if an older version claimed it without storing its name. */
  holder: string | null;
  /** How long ago the holder last reported the job, in milliseconds. */
  silentMs: number;
  cancelRequested: boolean;
}

/** All unfinished jobs, and what is wrong with them. */
export interface Survey {
  queues: QueueSurvey[];
  /** At most 1,000 running jobs, the longest silent first. */
  running: RunningJob[];
  /** Pending dispatch messages that are due: the relay is late, or the broker is away. */
  overdue: { count: number; oldestMs: number };
  /** Scheduled jobs without a pending dispatch message: no relay would ever dispatch them. */
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

/** Counts all unfinished jobs. It reads every one of them, so call it for a person and not every second. */
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
