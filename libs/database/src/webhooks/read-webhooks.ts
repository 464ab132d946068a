import type { DeliveryAttempt, WebhookDelivery, WebhookEvent } from '@offload/jobs/webhooks';
import type { Pool } from 'pg';
import type { PrismaClient } from '../generated/prisma/client.ts';

/** pg reads times as text, and Prisma as `Date`. */
interface DeliveryRow {
  id: string;
  jobId: string;
  endpoint: string | null;
  url: string;
  event: WebhookEvent;
  status: WebhookDelivery['status'];
  log: DeliveryAttempt[];
  createdAt: Date | string;
  dueAt: Date | string;
  takenAt: Date | string | null;
  endedAt: Date | string | null;
  error: string | null;
}

/** SQL: the select list from `webhook_deliveries as delivery`. */
const columns = `delivery.id, job_id as "jobId", endpoint, delivery.url, event, status, log, created_at as "createdAt",
  due_at as "dueAt", taken_at as "takenAt", ended_at as "endedAt", error`;

const text = (time: Date | string): string => (typeof time === 'string' ? time : time.toISOString());

function toDelivery({ log, dueAt, takenAt, createdAt, endedAt, ...row }: DeliveryRow): WebhookDelivery {
  const { id, jobId, endpoint, url, event, status, error } = row;
  return {
    id,
    jobId,
    endpoint,
    // A configured URL may have a secret in its path or query, which readers of jobs must not see.
    url: endpoint === null ? url : new URL(url).origin,
    event,
    status,
    error,
    attempts: log.map(({ number, at, durationMs, status, error }) => ({ number, at, durationMs, status, error })),
    createdAt: text(createdAt),
    nextAttemptAt: status === 'pending' && takenAt === null ? text(dueAt) : null,
    endedAt: endedAt && text(endedAt),
  };
}

/** Lists the webhook deliveries of a job, oldest first. @returns null if there is no such job */
export async function listWebhooks(prisma: PrismaClient, jobId: string): Promise<WebhookDelivery[] | null> {
  const deliveries = { omit: { snapshot: true }, orderBy: { id: 'asc' } } as const; // a snapshot may be megabytes
  const job = await prisma.job.findUnique({ where: { id: jobId }, select: { deliveries } });
  return job && job.deliveries.map((row) => toDelivery(row as unknown as DeliveryRow)); // Prisma does not type JSON columns
}

// If a notifier is sending the webhook, that attempt goes on. If it fails, `record` sees that no try is counted and the
// webhook is sent again. A webhook of an endpoint goes to the endpoint's present URL.
const redeliverSql = `
  update webhook_deliveries as delivery set
    status = 'pending',
    tries = 0,
    pending_since = now(),
    due_at = case when status = 'pending' and taken_at is not null then due_at else now() end,
    ended_at = null,
    error = null,
    url = target.url,
    host = target.host
  from (
    select old.id, coalesce(endpoint.url, old.url) as url, coalesce(endpoint.host, old.host) as host
    from webhook_deliveries as old left join webhook_endpoints as endpoint on endpoint.name = old.endpoint
    where old.id = $1 and (old.endpoint is null or endpoint.name is not null)
  ) as target
  where delivery.id = target.id
  returning ${columns}`;

/**
 * Makes a webhook delivery pending again with all its tries, also a delivered or failed one.
 *
 * @returns null if there is no such delivery; `endpoint-removed` if no notifier could send it
 */
export async function redeliverWebhook(pool: Pool, id: string): Promise<WebhookDelivery | 'endpoint-removed' | null> {
  const { rows } = await pool.query<DeliveryRow>(redeliverSql, [id]);
  if (rows[0]) return toDelivery(rows[0]);
  const { rowCount } = await pool.query('select from webhook_deliveries where id = $1', [id]);
  return rowCount ? 'endpoint-removed' : null;
}

/** Counts pending webhook deliveries, and how long the oldest due one has been due, in milliseconds. */
export async function countPendingWebhooks(pool: Pool): Promise<{ pending: number; oldestDueMs: number }> {
  const { rows } = await pool.query<{ pending: number; oldestDueMs: number }>(`
    select count(*)::int as pending,
      coalesce(extract(epoch from now() - min(due_at) filter (where due_at <= now())), 0)::float8 * 1000 as "oldestDueMs"
    from webhook_deliveries where status = 'pending'`);
  return rows[0] as { pending: number; oldestDueMs: number };
}
