import type { DeliveryAttempt } from '@offload/jobs/webhooks';
import type { Pool } from 'pg';

/** What one attempt to deliver a webhook came to. */
export interface RecordedAttempt {
  id: string;
  /** The fence: `TakenWebhook.attempt`. */
  attempt: number;
  /** When it began is worked out by the database's clock, from how long it took. */
  entry: Omit<DeliveryAttempt, 'number' | 'at'>;
  outcome:
    | { kind: 'delivered' }
    /** Again, not before so many milliseconds from now. */
    | { kind: 'retry'; delayMs: number }
    /** Given up. */
    | { kind: 'failed' };
}

/** What each log keeps. */
const LONGEST_LOG = 100;

// That it arrived counts whoever says so, and whatever was thought before; what else an attempt came to counts only while
// nobody has taken it since. Without a try since it was pending, it was redelivered by hand while it was being sent: then it
// is sent again. An endpoint to which one has arrived wants webhooks (again).
const sql = `
  with held as (
    select delivery.id, delivery.endpoint, input.delay_ms, input.entry,
      case when input.kind = 'delivered' and delivery.status <> 'delivered' then 'delivered'
        when delivery.status <> 'pending' or input.attempt <> delivery.attempt then 'none'
        when input.kind <> 'delivered' and delivery.tries = 0 then 'again'
        else input.kind end as kind
    from webhook_deliveries as delivery join unnest($1::uuid[], $2::int[], $3::text[], $4::float8[], $5::jsonb[])
      as input(id, attempt, kind, delay_ms, entry) on input.id = delivery.id
    order by delivery.id for update of delivery
  ), wanted_again as (
    update webhook_endpoints set gone_at = null
    from held where name = held.endpoint and held.kind = 'delivered' and gone_at is not null
  )
  update webhook_deliveries as delivery set
    log = (case when jsonb_array_length(log) >= ${LONGEST_LOG} then log - 0 else log end)
      || (held.entry || jsonb_build_object('at', to_char(
        (now() - (held.entry->>'durationMs')::float8 * interval '1 millisecond') at time zone 'utc',
        'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))),
    status = (case when held.kind in ('delivered', 'failed') then held.kind else delivery.status::text end)
      ::webhook_delivery_status,
    taken_at = case held.kind when 'none' then taken_at end,
    due_at = case held.kind when 'retry' then now() + held.delay_ms * interval '1 millisecond' when 'again' then now()
      else due_at end,
    error = case held.kind when 'failed' then held.entry->>'error' when 'delivered' then null else delivery.error end,
    ended_at = case when held.kind in ('delivered', 'failed') then now() else ended_at end
  from held where delivery.id = held.id`;

/** Records attempts in the logs of their webhooks, and what follows from them. */
export async function recordAttempts(pool: Pool, attempts: RecordedAttempt[]): Promise<undefined[]> {
  await pool.query({
    name: 'record-attempts',
    text: sql,
    values: [
      attempts.map(({ id }) => id),
      attempts.map(({ attempt }) => attempt),
      attempts.map(({ outcome }) => outcome.kind),
      attempts.map(({ outcome }) => (outcome.kind === 'retry' ? outcome.delayMs : 0)),
      attempts.map(({ entry, attempt }) => JSON.stringify({ number: attempt, ...entry })),
    ],
  });
  return attempts.map(() => undefined);
}

const releaseSql = `
  update webhook_deliveries set due_at = now(), taken_at = null, tries = greatest(tries - 1, 0)
  where id = $1 and attempt = $2 and status = 'pending'`;

/** Gives back one that was taken and not sent to its end: due at once, and no try is used up. */
export async function releaseWebhook(pool: Pool, { id, attempt }: { id: string; attempt: number }): Promise<void> {
  await pool.query({ name: 'release-webhook', text: releaseSql, values: [id, attempt] });
}

/** Rows changed in one statement, so that none takes too long; where there are more, the next 410 ends as many. */
const MOST_ENDED = 5_000;

const endSql = `
  with gone as (
    update webhook_endpoints set gone_at = now() where name = $3 and url = $2 and gone_at is null
  )
  update webhook_deliveries set status = 'failed', ended_at = now(), taken_at = null,
    error = 'its receiver wants no more webhooks'
  where id in (
    select id from webhook_deliveries
    where status = 'pending' and host = $1 and url = $2 and endpoint is not distinct from $3 and id <> $4
    limit ${MOST_ENDED}
  )`;

/**
 * The receiver of this webhook wants no more (410): all else that is pending there is given up, and a configured endpoint is
 * to get nothing from now on, until it has another URL or a delivery by hand arrives.
 */
export async function endReceiver(
  pool: Pool,
  receiver: { id: string; host: string; url: string; endpoint: string | null },
): Promise<void> {
  const { id, host, url, endpoint } = receiver;
  await pool.query({ name: 'end-receiver', text: endSql, values: [host, url, endpoint, id] });
}
