import type { Job } from '@offload/jobs';
import type { WebhookEvent } from '@offload/jobs/webhooks';
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
  /** How often it was taken since it was pending, this time included. */
  tries: number;
  /** How long it has been pending, in milliseconds. */
  pendingMs: number;
  /** The length of the job as it is kept, in bytes. */
  bytes: number;
}

export interface Taking {
  /** Most webhooks at once. */
  limit: number;
  /** Most bytes of jobs in them; the first may have more. At least 1. */
  maxBytes: number;
  /** Most of one host. */
  perHost: number;
  /** Hosts that may get fewer than that; 0 leaves one out. */
  room: ReadonlyMap<string, number>;
  /** Begins with the host after this one, by name. @default '' which is before all */
  after?: string;
  /** Names of the endpoints whose secrets the caller has. */
  endpoints: readonly string[];
  /** Whether it has those of jobs' own webhooks. */
  jobsOwn: boolean;
  /** After so long, in milliseconds, another may take it: its taker is taken for dead. */
  leaseMs: number;
}

export interface Take {
  taken: TakenWebhook[];
  /** Where to go on, as `after`: there may be more. '' when all hosts from `after` on were looked at. */
  next: string;
}

/** Hosts looked at in one statement. */
const HOSTS = 500;

// Goes from host to host by the index and looks at the oldest few of each, so that a host which is pending a million and
// gets none costs one look. Who takes again goes on where this ended: no host waits for others that are pending much.
// Locked rows are somebody else's this very moment.
const sql = `
  with recursive host as (
    (select host, 1 as n from webhook_deliveries where status = 'pending' and host > $7 order by host limit 1)
    union all
    select (
      select next.host from webhook_deliveries as next
      where next.status = 'pending' and next.host > host.host order by next.host limit 1
    ), n + 1 from host where host.host is not null and n < ${HOSTS}
  ), room as (
    select host.host, n, coalesce(given.free, $2) as free
    from host left join unnest($3::text[], $4::int[]) as given(host, free) on given.host = host.host
    where host.host is not null
    order by n
  ), due as (
    select delivery.id, delivery.bytes, room.n from room cross join lateral (
      select id, bytes from webhook_deliveries as delivery
      where status = 'pending' and host = room.host and due_at <= now()
        and case when endpoint is null then $6 else endpoint = any($5::text[]) end
      order by due_at limit room.free
      for update skip locked
    ) as delivery
    limit $1
  ), fitting as (
    select id, n from (select id, n, sum(bytes) over (order by n, id) - bytes as before from due) as summed where before < $8
  ), taken as (
    update webhook_deliveries as delivery set
      attempt = attempt + 1,
      tries = tries + 1,
      taken_at = now(),
      due_at = now() + $9 * interval '1 millisecond'
    from fitting where delivery.id = fitting.id
    returning delivery.id, endpoint, url, host, event, snapshot, attempt, tries, bytes,
      extract(epoch from now() - pending_since)::float8 * 1000 as "pendingMs"
  )
  select walked.*, taken.* from (
    select count(host)::int as hosts, max(host) as "lastHost", (select max(host) from taken) as "lastTaken" from host
  ) as walked left join taken on true`;

type Row = Omit<TakenWebhook, 'job'> & { snapshot: unknown; hosts: number; lastHost: string; lastTaken: string };

/** Takes webhooks that are due, for the caller alone. Who takes one records what became of it, or releases it. */
export async function takeWebhooks(pool: Pool, taking: Taking): Promise<Take> {
  const { limit, maxBytes, perHost, room, after = '', endpoints, jobsOwn, leaseMs } = taking;
  const { rows } = await pool.query<Row | { [Column in keyof Row]: null }>({
    name: 'take-webhooks',
    text: sql,
    values: [limit, perHost, [...room.keys()], [...room.values()], endpoints, jobsOwn, after, maxBytes, leaseMs],
  });
  const taken = rows.filter((row): row is Row => row.id !== null).map(toTaken);
  const isFull = taken.length === limit || taken.reduce((sum, { bytes }) => sum + bytes, 0) >= maxBytes;
  const [first] = rows;
  if (isFull) return { taken, next: first?.lastTaken ?? '' };
  return { taken, next: first?.hosts === HOSTS ? (first.lastHost ?? '') : '' };
}

function toTaken({ id, endpoint, url, host, event, snapshot, attempt, tries, pendingMs, bytes }: Row): TakenWebhook {
  return { id, endpoint, url, host, event, job: jobOfSnapshot(snapshot), attempt, tries, pendingMs, bytes };
}
