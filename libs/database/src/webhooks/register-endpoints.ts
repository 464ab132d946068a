import type { WebhookEvent } from '@offload/contracts';
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
  ), stored as (
    insert into webhook_endpoints as old (name, url, host, events, types, queues, tags)
    select name, url, host, events, types, queues, tags from given order by name
    on conflict (name) do update set
      url = excluded.url, host = excluded.host, events = excluded.events,
      types = excluded.types, queues = excluded.queues, tags = excluded.tags, seen_at = now(),
      gone_at = case when old.url = excluded.url then old.gone_at end
  )
  update webhook_deliveries as delivery set url = given.url, host = given.host
  from given where delivery.endpoint = given.name and delivery.status = 'pending' and delivery.url <> given.url`;

/**
 * Keeps these endpoints for an hour: to be said again and again by whoever has their secrets. What is owed to one whose URL
 * has changed goes to the new one.
 */
export async function registerEndpoints(pool: Pool, endpoints: readonly WebhookEndpoint[]): Promise<void> {
  if (endpoints.length === 0) return;
  const rows = endpoints.map((endpoint) => ({ ...endpoint, host: new URL(endpoint.url).host }));
  await pool.query({ name: 'register-endpoints', text: registerSql, values: [JSON.stringify(rows)] });
}

const KEPT = `interval '1 hour'`;
/** A day, in which webhooks are delivered, and an hour for the last attempt. */
const DEADLINE = `interval '25 hours'`;

// Jobs that ended while an endpoint was removed may owe it something still: that is found here, too.
const expireSql = `
  with removed as (
    delete from webhook_endpoints where seen_at < now() - ${KEPT}
  ), ended as (
    update webhook_deliveries as delivery set
      status = 'failed',
      ended_at = now(),
      taken_at = null,
      error = case when owed_at < now() - ${DEADLINE} then 'it was owed for more than a day'
        else 'no notifier has its endpoint any more' end
    where status = 'pending' and (taken_at is null or due_at < now())
      and (owed_at < now() - ${DEADLINE} or (endpoint is not null and not exists (
        select from webhook_endpoints where name = delivery.endpoint and seen_at >= now() - ${KEPT})))
    returning 1
  )
  select count(*)::int as ended from ended`;

/**
 * Removes endpoints that nobody has registered for an hour, and gives up what nobody will send: what is owed to them, and
 * what has been owed for more than a day.
 *
 * @returns how many webhooks were given up
 */
export async function expireWebhooks(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ ended: number }>({ name: 'expire-webhooks', text: expireSql });
  return rows[0]?.ended ?? 0;
}
