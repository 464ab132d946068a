import type { Job, WebhookEvent } from '@offload/contracts';
import type { Pool } from 'pg';
import { jobOfSnapshot } from '../job-row.ts';

/** A webhook that the caller is to send now. */
export interface TakenWebhook {
  id: string;
  /** Name of the configured endpoint; null for the job's own webhook. */
  endpoint: string | null;
  url: string;
  host: string;
  event: WebhookEvent;
  /** As it was when it ended. */
  job: Job;
  /** The fence, and the attempt's number. */
  attempt: number;
  /** How often it was taken since it was owed, this time included. */
  tries: number;
  /** How long it has been owed, in milliseconds. */
  owedMs: number;
}

export interface Taking {
  /** Most webhooks at once. */
  limit: number;
  /** Most of one host. */
  perHost: number;
  /** Hosts that may get fewer than that; 0 leaves one out. */
  room: ReadonlyMap<string, number>;
  /** Names of the endpoints whose secrets the caller has. */
  endpoints: readonly string[];
  /** Whether it has those of jobs' own webhooks. */
  jobsOwn: boolean;
  /** After so long, in milliseconds, another may take it: its taker is taken for dead. */
  leaseMs: number;
}

// Goes from host to host by the index and looks at the oldest few of each, so that a host which is owed a million and
// gets none costs one look. Locked rows are somebody else's this very moment.
const sql = `
  with recursive host as (
    (select host from webhook_deliveries where status = 'pending' order by host limit 1)
    union all
    select (
      select next.host from webhook_deliveries as next
      where next.status = 'pending' and next.host > host.host order by next.host limit 1
    ) from host where host.host is not null
  ), room as (
    select host.host, coalesce(given.free, $2) as free
    from host left join unnest($3::text[], $4::int[]) as given(host, free) on given.host = host.host
    where host.host is not null
  ), due as (
    select delivery.id from room cross join lateral (
      select id from webhook_deliveries as delivery
      where status = 'pending' and host = room.host and due_at <= now()
        and case when endpoint is null then $7 else endpoint = any($5::text[]) end
      order by due_at limit room.free
      for update skip locked
    ) as delivery
    limit $1
  )
  update webhook_deliveries as delivery set
    attempt = attempt + 1,
    tries = tries + 1,
    taken_at = now(),
    due_at = now() + $6 * interval '1 millisecond'
  from due where delivery.id = due.id
  returning delivery.id, endpoint, url, host, event, snapshot, attempt, tries,
    extract(epoch from now() - owed_at)::float8 * 1000 as "owedMs"`;

/** Takes webhooks that are due, for the caller alone. Who takes one records what became of it, or releases it. */
export async function takeWebhooks(pool: Pool, taking: Taking): Promise<TakenWebhook[]> {
  const { limit, perHost, room, endpoints, jobsOwn, leaseMs } = taking;
  const { rows } = await pool.query<Omit<TakenWebhook, 'job'> & { snapshot: unknown }>({
    name: 'take-webhooks',
    text: sql,
    values: [limit, perHost, [...room.keys()], [...room.values()], endpoints, leaseMs, jobsOwn],
  });
  return rows.map(({ snapshot, ...taken }) => ({ ...taken, job: jobOfSnapshot(snapshot) }));
}
