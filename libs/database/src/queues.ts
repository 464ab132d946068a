import type { Pool } from 'pg';
import { hasStatus } from './by-id.ts';

// Jobs that are queued are in an index of their own (jobs_queued_idx), with all that is asked for here. A job waits since it
// is due, or since it was made where it asked for a time in the past.
export const waitingSince = 'greatest(due_at, created_at)';

/** What one queue has to do. */
export interface QueueCount {
  queue: string;
  /** Due, and not started. */
  ready: number;
  running: number;
  scheduled: number;
  /** How long the longest waiting of those that are ready has waited; null when there is none. */
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

/** The queues that have unfinished jobs, by name. It takes a look at each such job, so it is not for every second. */
export async function countQueues(pool: Pool): Promise<QueueCount[]> {
  return (await pool.query<QueueCount>({ name: 'count-queues', text: countSql })).rows;
}

/** What of a queue does not wait in it: that takes a look at each running and scheduled job. */
export async function countStarted(pool: Pool): Promise<Pick<QueueCount, 'queue' | 'running' | 'scheduled'>[]> {
  return (await pool.query({ name: 'count-started', text: startedSql })).rows;
}

export interface QueueSample extends Pick<QueueCount, 'oldestWaitingMs'> {
  queue: string;
  /** How many jobs are queued. */
  waiting: number;
  /** How many of them were so at the time of the earlier sample. */
  remaining: number;
  /** Those of {@link HIGH_PRIORITY} or more, which come before all others. */
  high: Line;
  normal: Line;
}

/** Jobs of a queue in the order in which they are taken out. */
export interface Line {
  waiting: number;
  /** Ids: of the first job, and then of each {@link MARK_EVERY}th, of the first {@link MOST_MARKED} at most. */
  marks: string[];
}

/** RabbitMQ's quorum queues have two levels of priority since 4.0, and none before: this begins the higher one. */
export const HIGH_PRIORITY = 5;
export const MARK_EVERY = 1_000;
/** As many as may leave between two samples, and {@link MOST_AHEAD} more. */
const MOST_MARKED = 50_000;

export interface QueueSamples {
  queues: QueueSample[];
  /** When they were taken, in seconds by the database's clock. */
  at: number;
}

/** A position is never told to be above this. */
export const MOST_AHEAD = 10_000;

// https://www.rabbitmq.com/docs/quorum-queues#priorities: what is taken out first is of a higher level, or else older.
const HIGH = [5, 6, 7, 8, 9];
const NORMAL = [0, 1, 2, 3, 4];

/** Those of a level that wait, oldest first: merged from the index, which has each priority in order, and cut off. */
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

// Not told by their ids, since a retry, or a delayed job, is queued long after its id was made. Rows hold milliseconds: what
// came in the same one as the sample is taken for later.
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
 * What waits in these queues, and what of it waited before: the rest of what waited then has been taken out.
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

/** Where to look for the jobs ahead of one. */
export interface AheadOf {
  jobId: string;
  /**
   * Ids: what is older than these does not count, by level. What has left a queue stays in the index for a while, and
   * must not be gone through again for each job. @default everything counts
   */
  from?: { high: string; normal: string };
}

/** Takes ids of jobs, and of where the levels of their queues begin. */
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
 * How many queued jobs of its queue come before each of these, as far as is known: counted up to {@link MOST_AHEAD}. For
 * however many jobs of a queue it looks at no more than twice so many.
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

/** Before every other id. */
const OLDEST = '00000000-0000-0000-0000-000000000000';
