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

// An endpoint that wanted no more (410) stays so until it has another URL, or a delivery by hand arrives.
const sql = `
  with given as (
    select * from json_to_recordset($1)
      as given(name text, url text, host text, events job_status[], types text[], queues text[], tags text[])
  ), removed as (
    delete from webhook_endpoints where name not in (select name from given)
  ), stored as (
    insert into webhook_endpoints as old (name, url, host, events, types, queues, tags)
    select name, url, host, events, types, queues, tags from given
    on conflict (name) do update set
      url = excluded.url, host = excluded.host, events = excluded.events,
      types = excluded.types, queues = excluded.queues, tags = excluded.tags,
      gone_at = case when old.url = excluded.url then old.gone_at end
  ), moved as (
    update webhook_deliveries as delivery set url = given.url, host = given.host
    from given where delivery.endpoint = given.name and delivery.status = 'pending' and delivery.url <> given.url
  )
  update webhook_deliveries set status = 'failed', ended_at = now(), taken_at = null
  where status = 'pending' and endpoint is not null and endpoint not in (select name from given)`;

/**
 * Makes these the configured endpoints, all of them. What is still owed to one that is not among them is given up; what
 * is owed to one whose URL has changed goes to the new one.
 */
export async function registerEndpoints(pool: Pool, endpoints: readonly WebhookEndpoint[]): Promise<void> {
  const rows = endpoints.map((endpoint) => ({ ...endpoint, host: new URL(endpoint.url).host }));
  const client = await pool.connect();
  try {
    // Notifiers that start together would otherwise insert the same rows side by side.
    await client.query('begin');
    await client.query('lock table webhook_endpoints in share row exclusive mode');
    await client.query(sql, [JSON.stringify(rows)]);
    await client.query('commit');
  } catch (error) {
    await client.query('rollback').catch(() => undefined); // the first error is the one to tell
    throw error;
  } finally {
    client.release();
  }
}
