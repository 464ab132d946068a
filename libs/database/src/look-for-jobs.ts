import type { JobStatus } from '@offload/jobs';
import type { ClientBase, Pool, QueryResult } from 'pg';
import { idsFrom } from './ids-from.ts';

export interface JobFilter {
  status?: JobStatus | undefined;
  type?: string | undefined;
  queue?: string | undefined;
  /** Jobs that have this tag, among others. */
  tag?: string | undefined;
  /** Jobs created later than this. */
  createdAfter?: Date | undefined;
  /** Jobs created earlier than this. */
  createdBefore?: Date | undefined;
  /** Only jobs older than this one: the keyset cursor. */
  beforeId?: string | undefined;
  /** At most this many. */
  limit: number;
}

/** How far to look for jobs that pass the filter: an index for each would cost every transition. */
export interface Reach {
  /** At most at so many rows ... */
  mostRows: number;
  /** ... and, once it has looked at `leastRows`, for so long, in milliseconds: they may have to come from a disk. */
  leastRows: number;
  ms: number;
}
const defaults: Reach = { mostRows: 5_000, leastRows: 500, ms: 10 };

interface LookedAt {
  id: string;
  /** Otherwise it is where the page ends. */
  matches: boolean;
  place: number;
}

// SQL, since Prisma's client can't say how far to look. The rows come down an index one by one, and no more of them than
// are asked for. The last one that may be looked at comes out whether it matches or not: the next page begins below it.
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
// `= any` and an order by both columns say no more than `=` and `order by id` would, but only the index by status and id has
// that order: see `inOrderOfIndex`.
const lookByStatus = {
  name: 'look-at-jobs-by-status',
  text: lookSql('status = any($12::job_status[]) and', 'status, id desc'),
};

/**
 * Newest first: the ids of jobs that pass the filter, and where to go on.
 *
 * @returns at most `limit` ids; `next` is the last job that was looked at, null when there are no more
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
    limit + 1, // one more than asked for tells whether there are more
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
 * Lets PostgreSQL choose no plan that sorts, so that it takes rows out of an index in the order that is wanted, and stops
 * when there are enough. It would rather read and sort a million rows, or go through all jobs by their primary key to find
 * a few of one status, where it takes them for few: it does not know how many lie between two ids.
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
    client.release(true); // and the transaction with it
    throw error;
  }
}

/** A lost connection is an event, too, and one that nobody hears ends the process. */
const alsoRejects = (): void => undefined;

/**
 * How far apart an id's time and that of its row may be: an hour between the clocks of an api, which makes the ids, and
 * of the database, and half an hour for the way from one to the other.
 */
const CLOCKS_APART_MS = 90 * 60 * 1000;
const LOWEST_ID = '00000000-0000-0000-0000-000000000000';
const HIGHEST_ID = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

/** Ids begin with the time at which they were made, so those of a window of time are found at once. */
function idRange({ createdAfter, createdBefore, beforeId }: JobFilter): { before: string; from: string } {
  const cursor = beforeId?.toLowerCase() ?? HIGHEST_ID;
  const end = createdBefore ? idsFrom(createdBefore.getTime() + CLOCKS_APART_MS) : HIGHEST_ID;
  return {
    before: cursor < end ? cursor : end,
    from: createdAfter ? idsFrom(createdAfter.getTime() - CLOCKS_APART_MS) : LOWEST_ID,
  };
}
