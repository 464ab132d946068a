import type { JobStatus } from '@offload/jobs';
import type { ClientBase, Pool, QueryResult } from 'pg';
import { idsFrom } from './ids-from.ts';

/** Which jobs to list. Every member but `limit` is optional; omitted means no filter. */
export interface JobFilter {
  status?: JobStatus | undefined;
  type?: string | undefined;
  queue?: string | undefined;
  /** Jobs that have this tag, perhaps among others. */
  tag?: string | undefined;
  /** Jobs that were created later. */
  createdAfter?: Date | undefined;
  /** Jobs that were created earlier. */
  createdBefore?: Date | undefined;
  /** The cursor: only jobs that are older than the job with this id. */
  beforeId?: string | undefined;
  /** Most jobs of a page. */
  limit: number;
}

/**
 * How many rows one call examines for jobs that match the filter. An index for each filter would slow down every
 * transition.
 */
export interface Reach {
  /** Most rows of a call. */
  mostRows: number;
  /** After this many rows the call ends when `ms` is over. */
  leastRows: number;
  /** How long a call may examine rows, in milliseconds: they may have to come from a disk. */
  ms: number;
}
const defaults: Reach = { mostRows: 5_000, leastRows: 500, ms: 10 };

interface LookedAt {
  id: string;
  /** False for the last row that was examined, if it does not match: the next page begins below it. */
  matches: boolean;
  place: number;
}

// Prisma's client can't limit how many rows are examined, so this is SQL. The rows come from an index one by one, and
// only as many as needed. The last row is returned even if it does not match: the next page begins below it.
const lookSql = (condition: string, order: string) => `
  select id, matches, place::int from (
    select id, status, row_number() over (order by ${order}) as place,
      ($3::text is null or type = $3) and ($4::text is null or queue = $4) and ($5::text is null or $5 = any(tags))
        and ($6::timestamptz is null or created_at > $6) and ($7::timestamptz is null or created_at < $7) as matches
    from (
      select id, status, type, queue, tags, created_at from jobs
      where ${condition} id < $1 and id >= $2
      order by ${order} limit $8
    ) as near
  ) as looked_at
  where matches or place = $8
    or (place >= $9 and clock_timestamp() >= statement_timestamp() + $10 * interval '1 millisecond')
  order by ${order} limit $11`;

const look = { name: 'look-at-jobs', text: lookSql('', 'id desc') };
// `= any` and an order by both columns mean the same as `=` and `order by id`. But only the index by status and id has
// that order: see `inOrderOfIndex`.
const lookByStatus = {
  name: 'look-at-jobs-by-status',
  text: lookSql('status = any($12::job_status[]) and', 'status, id desc'),
};

/**
 * Finds the ids of jobs that match the filter, newest first.
 *
 * @returns at most `limit` ids; `next` is the last job that was examined, null if there are no more
 */
export async function lookForJobs(
  pool: Pool,
  filter: JobFilter,
  { mostRows, leastRows, ms }: Reach = defaults,
): Promise<{ ids: string[]; next: string | null }> {
  const { status, type, queue, tag, createdAfter, createdBefore, limit } = filter;
  const { before, from } = idRange(filter);
  const values = [
    ...[before, from, type, queue, tag, createdAfter, createdBefore, mostRows, leastRows, ms],
    limit + 1, // one more row shows whether there is a next page
    ...(status ? [[status]] : []),
  ];
  const statement = { ...(status ? lookByStatus : look), values };
  const { rows } = await inOrderOfIndex(pool, (client) => client.query<LookedAt>(statement));
  const end = rows.find(({ matches, place }) => !matches || place === mostRows);
  const found = end ? rows.slice(0, rows.indexOf(end) + 1) : rows;
  const page = found.slice(0, limit);
  const more = end !== undefined || found.length > limit;
  return {
    ids: page.filter(({ matches }) => matches).map(({ id }) => id),
    next: more ? (page.at(-1)?.id ?? null) : null,
  };
}

/**
 * Forbids plans that sort, so that PostgreSQL reads rows in the order of an index and stops when it has enough.
 * Otherwise it may sort a million rows, because it can't estimate how many rows lie between two ids. For a rare status
 * it may also read all jobs by their primary key.
 */
async function inOrderOfIndex<Row extends object>(
  pool: Pool,
  query: (client: ClientBase) => Promise<QueryResult<Row>>,
): Promise<QueryResult<Row>> {
  const client = await pool.connect();
  client.on('error', alsoRejects);
  try {
    await client.query('begin read only; set local enable_sort = off');
    const result = await query(client);
    await client.query('commit');
    client.off('error', alsoRejects).release();
    return result;
  } catch (error) {
    client.release(true); // closes the connection and so its transaction
    throw error;
  }
}

/** A lost connection also emits an event. Without a listener, that event would end the process. */
const alsoRejects = (): void => undefined;

/**
 * How far the time in an id and the row's time may differ. The clocks of the api, which makes ids, and of the database
 * may differ by an hour. The way from one to the other may take half an hour.
 */
const CLOCKS_APART_MS = 90 * 60 * 1000;
const LOWEST_ID = '00000000-0000-0000-0000-000000000000';
const HIGHEST_ID = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

/** Ids begin with the time of their creation, so a range of time is a range of ids. */
function idRange({ createdAfter, createdBefore, beforeId }: JobFilter): { before: string; from: string } {
  const cursor = beforeId?.toLowerCase() ?? HIGHEST_ID;
  const end = createdBefore ? idsFrom(createdBefore.getTime() + CLOCKS_APART_MS) : HIGHEST_ID;
  return {
    before: cursor < end ? cursor : end,
    from: createdAfter ? idsFrom(createdAfter.getTime() - CLOCKS_APART_MS) : LOWEST_ID,
  };
}
