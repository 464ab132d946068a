import type { Pool } from 'pg';

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

const countSql = `
  select queue, sum(ready)::int as ready, sum(running)::int as running, sum(scheduled)::int as scheduled,
    (extract(epoch from now() - min(since)) * 1000)::float8 as "oldestWaitingMs"
  from (
    select queue, count(*) as ready, 0 as running, 0 as scheduled, least(now(), min(${waitingSince})) as since
    from jobs where status = 'queued' group by queue
    union all
    select queue, 0, count(*) filter (where status = 'running'), count(*) filter (where status = 'scheduled'), null
    from jobs where status in ('running', 'scheduled') group by queue
  ) as counts
  group by queue order by queue`;

/** The queues that have unfinished jobs, by name. It takes a look at each such job, so it is not for every second. */
export async function countQueues(pool: Pool): Promise<QueueCount[]> {
  return (await pool.query<QueueCount>({ name: 'count-queues', text: countSql })).rows;
}

export interface QueueSample {
  queue: string;
  /** How many jobs are queued. */
  waiting: number;
  /** How many of them were so at the time of the earlier sample. */
  remaining: number;
}

export interface QueueSamples {
  queues: QueueSample[];
  /** When they were taken, in seconds by the database's clock. */
  at: number;
}

// Not told by their ids, since a retry, or a delayed job, is queued long after its id was made. Rows hold milliseconds: what
// came in the same one as the sample is taken for later.
const sampleSql = `
  select wanted.queue, waiting, remaining, extract(epoch from date_trunc('milliseconds', now()))::float8 as at
  from unnest($1::text[]) as wanted(queue), lateral (
    select count(*)::int as waiting, (count(*) filter (where ${waitingSince} < to_timestamp($2)))::int as remaining
    from jobs where status = 'queued' and queue = wanted.queue
  ) as sample`;

/**
 * What waits in these queues, and what of it waited before: the rest of what waited then has been taken out.
 *
 * @param since `at` of an earlier sample; with null nothing remains
 */
export async function sampleQueues(pool: Pool, queues: readonly string[], since: number | null): Promise<QueueSamples> {
  const { rows } = await pool.query<QueueSample & { at: number }>({
    name: 'sample-queues',
    text: sampleSql,
    values: [queues, since],
  });
  return {
    queues: rows.map(({ queue, waiting, remaining }) => ({ queue, waiting, remaining })),
    at: rows[0]?.at ?? 0,
  };
}

/** Nobody is told of more than so many jobs before theirs. */
export const MOST_AHEAD = 10_000;

// RabbitMQ's quorum queues have two levels of priority since 4.0, and none before
// (https://www.rabbitmq.com/docs/quorum-queues#priorities): what is taken out first is of a higher level, or else older.
const NORMAL = [0, 1, 2, 3, 4];
const HIGH = [5, 6, 7, 8, 9];

/** Those of a level that wait, oldest first: merged from the index, which has each priority in order, and cut off. */
const line = (priorities: number[], condition: string) => {
  const first = `order by id limit ${MOST_AHEAD}`;
  const queued = `select id from jobs where status = 'queued' and queue = wanted.queue`;
  const merged = priorities.map((priority) => `(${queued} and priority = ${priority} ${condition} ${first})`);
  return `select id, row_number() over (order by id) - 1 as ahead
    from (${merged.join(' union all ')} ${first}) as level`;
};

const aheadSql = `
  with job as (
    select id, queue, priority from jobs where id = any($1::uuid[]) and status = 'queued'
  ), wanted as (
    select queue, (array_agg(id order by id desc))[1] as last_id from job group by queue
  ), high as materialized (
    select queue, line.* from wanted, lateral (${line(HIGH, '')}) as line
  ), normal as materialized (
    select queue, line.* from wanted, lateral (${line(NORMAL, 'and id <= wanted.last_id')}) as line
  ), before_normal as (
    select queue, count(*) as count from high group by queue
  )
  select job.id, least(${MOST_AHEAD}, case when priority >= ${HIGH[0]} then coalesce(high.ahead, ${MOST_AHEAD})
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
export async function countAhead(pool: Pool, jobIds: string[]): Promise<(number | null)[]> {
  const { rows } = await pool.query<{ id: string; ahead: number }>({
    name: 'count-ahead',
    text: aheadSql,
    values: [jobIds],
  });
  const counted = new Map(rows.map(({ id, ahead }) => [id, ahead]));
  return jobIds.map((id) => counted.get(id.toLowerCase()) ?? null);
}
