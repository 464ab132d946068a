import type { WebhookEvent } from '@offload/jobs/webhooks';
import type { Pool } from 'pg';

/** Where the webhooks of all jobs go, or of those that match. Its secrets are nobody's business here. */
export interface WebhookEndpoint {
  name: string;
  url: string;
  events: readonly WebhookEvent[];
  /** Only jobs of these types; of all where it is empty. So with queues, and tags, one of which is enough. */
  types: readonly string[];
  queues: readonly string[];
  tags: readonly string[];
}

// An endpoint that wanted no more (410) stays so until it has another URL, or a delivery by hand arrives. Rows are written
// in one order, so that two notifiers can't wait for each other.
const registerSql = `
  with given as (
    select * from json_to_recordset($1)
      as given(name text, url text, host text, events job_status[], types text[], queues text[], tags text[])
  )
  insert into webhook_endpoints as old (name, url, host, events, types, queues, tags)
  select name, url, host, events, types, queues, tags from given order by name
  on conflict (name) do update set
    url = excluded.url, host = excluded.host, events = excluded.events,
    types = excluded.types, queues = excluded.queues, tags = excluded.tags, seen_at = now(),
    gone_at = case when old.url = excluded.url then old.gone_at end`;

/** Keeps these endpoints for an hour: to be said again and again by whoever has their secrets. */
export async function registerEndpoints(pool: Pool, endpoints: readonly WebhookEndpoint[]): Promise<void> {
  if (endpoints.length === 0) return;
  // Member by member: who registers them has secrets in them, too.
  const rows = endpoints.map(({ name, url, events, types, queues, tags }) => {
    return { name, url, host: new URL(url).host, events, types, queues, tags };
  });
  await pool.query({ name: 'register-endpoints', text: registerSql, values: [JSON.stringify(rows)] });
}

/** Rows changed in one statement: however many there are, none takes too long. */
const MOST_ROWS = 5_000;

const moveSql = `
  update webhook_deliveries as delivery set url = endpoint.url, host = endpoint.host
  from webhook_endpoints as endpoint
  where delivery.id in (
    select pending.id from webhook_deliveries as pending join webhook_endpoints as target on target.name = pending.endpoint
    where pending.status = 'pending' and pending.url <> target.url
    limit ${MOST_ROWS} for update of pending skip locked
  ) and endpoint.name = delivery.endpoint`;

/** What is pending for endpoints whose URL has changed goes to the new one. */
export async function moveWebhooks(pool: Pool): Promise<void> {
  for (;;) {
    const { rowCount } = await pool.query({ name: 'move-webhooks', text: moveSql });
    if ((rowCount ?? 0) < MOST_ROWS) return;
  }
}

const KEPT = `interval '1 hour'`;
/** A day, in which webhooks are delivered, and an hour for the last attempt. */
const DEADLINE = `interval '25 hours'`;

// Jobs that ended while an endpoint was removed may owe it something still: that is found here, too.
const expireSql = `
  update webhook_deliveries set
    status = 'failed',
    ended_at = now(),
    taken_at = null,
    error = case when pending_since < now() - ${DEADLINE} then 'it was pending for more than a day'
      else 'no notifier has its endpoint any more' end
  where id in (
    select id from webhook_deliveries as pending
    where status = 'pending' and (taken_at is null or due_at < now())
      and (pending_since < now() - ${DEADLINE}
        or (endpoint is not null and not exists (select from webhook_endpoints where name = pending.endpoint)))
    limit ${MOST_ROWS} for update skip locked
  )`;

/**
 * Removes endpoints that nobody has registered for an hour, and gives up what nobody will send: what is pending for them, and
 * what has been pending for more than a day.
 *
 * @returns how many webhooks were given up
 */
export async function expireWebhooks(pool: Pool): Promise<number> {
  await pool.query(`delete from webhook_endpoints where seen_at < now() - ${KEPT}`);
  for (let ended = 0; ;) {
    const { rowCount } = await pool.query({ name: 'expire-webhooks', text: expireSql });
    ended += rowCount ?? 0;
    if ((rowCount ?? 0) < MOST_ROWS) return ended;
  }
}
