import type { Pool } from 'pg';
import { hasStatus } from './by-id.ts';

/**
 * SQL: since when a job waits: since it is due, or since its creation if it was due earlier. The index jobs_queued_idx
 * holds queued jobs with everything that this file reads.
 */
export const waitingSince = 'greatest(due_at, created_at)';

/** The unfinished jobs of one queue. */
export interface QueueCount {
  queue: string;
  /** Jobs that are due and not started. */
  ready: number;
  /** Jobs that run. */
  running: number;
  /** Jobs that are not due yet. */
  scheduled: number;
  /** How long the oldest ready job has waited, in milliseconds; null if no job is ready. */
  oldestWaitingMs: number | null;
}

const startedSql = `
  select queue, (count(*) filter (where status = 'running'))::int as running,
    (count(*) filter (where status = 'scheduled'))::int as scheduled
  from jobs where status in ('running', 'scheduled') group by queue`;

const countSql = `
  select queue, sum(ready)::int as ready, sum(running)::int as running, sum(scheduled)::int as scheduled,
    (extract(epoch from now() - min(since)) * 1000)::float8 as "oldestWaitingMs"
  from (
    select queue, count(*) as ready, 0 as running, 0 as scheduled, least(now(), min(${waitingSince})) as since
    from jobs where status = 'queued' group by queue
    union all
    select queue, 0, running, scheduled, null from (${startedSql}) as started
  ) as counts
  group by queue order by queue`;

/**
 * Counts the unfinished jobs of each queue, by name. It reads an entry of each such job, so do not call it every
 * second.
 */
export async function countQueues(pool: Pool): Promise<QueueCount[]> {
  return (await pool.query<QueueCount>({ name: 'count-queues', text: countSql })).rows;
}

/** Counts the running and scheduled jobs of each queue. It reads an entry of each of them. */
export async function countStarted(pool: Pool): Promise<Pick<QueueCount, 'queue' | 'running' | 'scheduled'>[]> {
  return (await pool.query({ name: 'count-started', text: startedSql })).rows;
}

/** The queued jobs of one queue at one moment. */
export interface QueueSample extends Pick<QueueCount, 'oldestWaitingMs'> {
  queue: string;
  /** How many jobs are queued. */
  waiting: number;
  /** How many of them were queued at the earlier sample. */
  remaining: number;
  /** Jobs with priority {@link HIGH_PRIORITY} or more, which come before all others. */
  high: Line;
  /** All other jobs. */
  normal: Line;
}

/** The jobs of one priority level of a queue, in the order in which workers get them. */
export interface Line {
  /** How many jobs wait. */
  waiting: number;
  /** Ids of the first job and of every {@link MARK_EVERY}th job after it, among the first {@link MOST_MARKED}. */
  marks: string[];
}

/** The lowest priority of the higher level: quorum queues have two levels since RabbitMQ 4.0, and none before. */
export const HIGH_PRIORITY = 5;
/** Every how many jobs a {@link Line} has a mark. */
export const MARK_EVERY = 1_000;
/** As many jobs as may leave between two samples, and {@link MOST_AHEAD} more. */
const MOST_MARKED = 50_000;

/** Samples of several queues, all of one moment. */
export interface QueueSamples {
  /** One sample for each queue. */
  queues: QueueSample[];
  /** When they were taken, in seconds by the database's clock. */
  at: number;
}

/** The highest position that is counted. */
export const MOST_AHEAD = 10_000;

// RabbitMQ delivers the higher level first, and the older message first within a level.
// https://www.rabbitmq.com/docs/quorum-queues#priorities
const HIGH = [5, 6, 7, 8, 9];
const NORMAL = [0, 1, 2, 3, 4];

/**
 * SQL: the waiting jobs of a level, oldest first. The index has each priority in order; the query merges them and stops
 * early.
 */
const line = (priorities: number[], most: number, condition: string) => {
  const first = `order by id limit ${most}`;
  const queued = `select id from jobs where status = 'queued' and queue = wanted.queue`;
  const merged = priorities.map((priority) => `(${queued} and priority = ${priority} ${condition} ${first})`);
  return `select id, row_number() over (order by id) - 1 as ahead
    from (${merged.join(' union all ')} ${first}) as level`;
};

const marks = (priorities: number[]) =>
  `coalesce((select array_agg(id::text order by ahead) from (${line(priorities, MOST_MARKED, '')}) as line
    where ahead % ${MARK_EVERY} = 0), '{}')`;

// Ids do not tell which jobs came later: a retried or delayed job has an old id. Rows hold milliseconds, so a job of
// the sample's own millisecond counts as later.
const sampleSql = `
  select wanted.queue, waiting, remaining, high, ${marks(HIGH)} as "highMarks", ${marks(NORMAL)} as "normalMarks",
    (extract(epoch from now() - since) * 1000)::float8 as "oldestWaitingMs",
    extract(epoch from date_trunc('milliseconds', now()))::float8 as at
  from unnest($1::text[]) as wanted(queue), lateral (
    select count(*)::int as waiting, (count(*) filter (where ${waitingSince} < to_timestamp($2)))::int as remaining,
      (count(*) filter (where priority >= ${HIGH_PRIORITY}))::int as high,
      case when count(*) > 0 then least(now(), min(${waitingSince})) end as since
    from jobs where status = 'queued' and queue = wanted.queue
  ) as sample`;

/**
 * Counts the jobs that wait in these queues, and how many of them waited at an earlier sample. The difference to the
 * earlier count is what workers have claimed since.
 *
 * @param since `at` of an earlier sample; with null nothing remains
 */
export async function sampleQueues(pool: Pool, queues: readonly string[], since: number | null): Promise<QueueSamples> {
  type Row = Omit<QueueSample, 'high' | 'normal'> & { high: number; at: number };
  const { rows } = await pool.query<Row & { highMarks: string[]; normalMarks: string[] }>({
    name: 'sample-queues',
    text: sampleSql,
    values: [queues, since],
  });
  return {
    queues: rows.map(({ queue, waiting, remaining, oldestWaitingMs, high, highMarks, normalMarks }) => ({
      ...{ queue, waiting, remaining, oldestWaitingMs },
      high: { waiting: high, marks: highMarks },
      normal: { waiting: waiting - high, marks: normalMarks },
    })),
    at: rows[0]?.at ?? 0,
  };
}

/** A job, and where to begin counting the jobs before it. */
export interface AheadOf {
  /** The job whose position is asked. */
  jobId: string;
  /**
   * Ids by level: older jobs do not count. Jobs that have left stay in the index for a while, and a count should not
   * pass them again for each job. @default every job counts
   */
  from?: { high: string; normal: string };
}

/** Takes ids of jobs, and the ids where the levels of their queues begin. */
export const aheadSql = `
  with asked as (
    select * from unnest($1::uuid[], $2::uuid[], $3::uuid[]) as asked(id, high_from, normal_from)
  ), job as (
    select id, queue, priority, high_from, normal_from from asked join lateral (
      select queue, priority from jobs where id = asked.id and ${hasStatus('jobs', 'queued')} offset 0
    ) as job on true
  ), wanted as (
    select queue, (array_agg(id order by id desc))[1] as last_id, (array_agg(high_from order by high_from))[1] as high_from,
      (array_agg(normal_from order by normal_from))[1] as normal_from
    from job group by queue
  ), high as materialized (
    select queue, line.* from wanted, lateral (${line(HIGH, MOST_AHEAD, 'and id >= wanted.high_from')}) as line
  ), normal as materialized (
    select queue, line.* from wanted, lateral (${line(NORMAL, MOST_AHEAD, 'and id between wanted.normal_from and wanted.last_id')}) as line
  ), before_normal as (
    select queue, count(*) as count from high group by queue
  )
  select job.id, least(${MOST_AHEAD}, case when priority >= ${HIGH_PRIORITY} then coalesce(high.ahead, ${MOST_AHEAD})
    else coalesce(before_normal.count, 0) + coalesce(normal.ahead, ${MOST_AHEAD}) end)::int as ahead
  from job
  left join high on high.id = job.id
  left join normal on normal.id = job.id
  left join before_normal on before_normal.queue = job.queue`;

/**
 * Counts the queued jobs before each of these jobs in its queue, at most {@link MOST_AHEAD}. It reads at most twice
 * that many entries of a queue, for any number of its jobs.
 *
 * @returns null for a job that is not queued, or unknown
 */
export async function countAhead(pool: Pool, asked: AheadOf[]): Promise<(number | null)[]> {
  const { rows } = await pool.query<{ id: string; ahead: number }>({
    name: 'count-ahead',
    text: aheadSql,
    values: [
      asked.map(({ jobId }) => jobId),
      asked.map(({ from }) => from?.high ?? OLDEST),
      asked.map(({ from }) => from?.normal ?? OLDEST),
    ],
  });
  const counted = new Map(rows.map(({ id, ahead }) => [id, ahead]));
  return asked.map(({ jobId }) => counted.get(jobId.toLowerCase()) ?? null);
}

/** Lower than every other id. */
const OLDEST = '00000000-0000-0000-0000-000000000000';
