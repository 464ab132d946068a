import type { DeliveryAttempt, WebhookDelivery, WebhookEvent } from '@offload/jobs/webhooks';
import type { Pool } from 'pg';
import type { PrismaClient } from '../generated/prisma/client.ts';

/** Times are text by pg, and a `Date` by Prisma. */
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

/** Of `webhook_deliveries as delivery`. */
const columns = `delivery.id, job_id as "jobId", endpoint, delivery.url, event, status, log, created_at as "createdAt",
  due_at as "dueAt", taken_at as "takenAt", ended_at as "endedAt", error`;

const text = (time: Date | string): string => (typeof time === 'string' ? time : time.toISOString());

function toDelivery({ log, dueAt, takenAt, createdAt, endedAt, ...row }: DeliveryRow): WebhookDelivery {
  const { id, jobId, endpoint, url, event, status, error } = row;
  return {
    id,
    jobId,
    endpoint,
    // A configured URL may have a secret in its path or query, and whoever reads jobs need not know it.
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

/** @returns the webhooks of a job, oldest first; null when there is no such job */
export async function listWebhooks(prisma: PrismaClient, jobId: string): Promise<WebhookDelivery[] | null> {
  const deliveries = { omit: { snapshot: true }, orderBy: { id: 'asc' } } as const; // a snapshot may be megabytes
  const job = await prisma.job.findUnique({ where: { id: jobId }, select: { deliveries } });
  return job && job.deliveries.map((row) => toDelivery(row as unknown as DeliveryRow)); // Prisma knows no JSON's form
}

// While somebody is sending it, that attempt goes on; should it fail, `record` sees that no try is counted, and has it sent
// again. An endpoint's goes where the endpoint is now.
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
 * Owes a webhook again, from now on and with every try, whatever became of it before.
 *
 * @returns null when there is no such webhook; `endpoint-removed` when no notifier could send it
 */
export async function redeliverWebhook(pool: Pool, id: string): Promise<WebhookDelivery | 'endpoint-removed' | null> {
  const { rows } = await pool.query<DeliveryRow>(redeliverSql, [id]);
  if (rows[0]) return toDelivery(rows[0]);
  const { rowCount } = await pool.query('select from webhook_deliveries where id = $1', [id]);
  return rowCount ? 'endpoint-removed' : null;
}

/** @returns how many webhooks are pending, and for how long the one that is due for longest has been, in milliseconds */
export async function countPendingWebhooks(pool: Pool): Promise<{ pending: number; oldestDueMs: number }> {
  const { rows } = await pool.query<{ pending: number; oldestDueMs: number }>(`
    select count(*)::int as pending,
      coalesce(extract(epoch from now() - min(due_at) filter (where due_at <= now())), 0)::float8 * 1000 as "oldestDueMs"
    from webhook_deliveries where status = 'pending'`);
  return rows[0] as { pending: number; oldestDueMs: number };
}
