import type { DeliveryAttempt, WebhookDelivery, WebhookEvent } from '@offload/contracts';
import type { Pool } from 'pg';

interface DeliveryRow {
  id: string;
  jobId: string;
  endpoint: string | null;
  url: string;
  event: WebhookEvent;
  status: WebhookDelivery['status'];
  log: DeliveryAttempt[];
  createdAt: Date;
  dueAt: Date;
  takenAt: Date | null;
  endedAt: Date | null;
}

const columns = `id, job_id as "jobId", endpoint, url, event, status, log, created_at as "createdAt", due_at as "dueAt",
  taken_at as "takenAt", ended_at as "endedAt"`;

function toDelivery({ log, dueAt, takenAt, createdAt, endedAt, ...row }: DeliveryRow): WebhookDelivery {
  const { id, jobId, endpoint, url, event, status } = row;
  return {
    id,
    jobId,
    endpoint,
    // A configured URL may have a secret in its path or query, and whoever reads jobs need not know it.
    url: endpoint === null ? url : new URL(url).origin,
    event,
    status,
    attempts: log.map(({ number, at, durationMs, status, error }) => ({ number, at, durationMs, status, error })),
    createdAt: createdAt.toISOString(),
    nextAttemptAt: status === 'pending' && takenAt === null ? dueAt.toISOString() : null,
    endedAt: endedAt?.toISOString() ?? null,
  };
}

/** @returns the webhooks of a job, oldest first; null when there is no such job */
export async function listWebhooks(pool: Pool, jobId: string): Promise<WebhookDelivery[] | null> {
  const sql = `select ${columns} from webhook_deliveries where job_id = $1 order by id`;
  const { rows } = await pool.query<DeliveryRow>(sql, [jobId]);
  if (rows.length > 0) return rows.map(toDelivery);
  const { rowCount } = await pool.query('select from jobs where id = $1', [jobId]);
  return rowCount ? [] : null;
}

// While somebody is sending it, that attempt goes on, and what follows from it is as if it were the first.
const redeliverSql = `
  update webhook_deliveries set
    status = 'pending',
    tries = 0,
    owed_at = now(),
    due_at = case when status = 'pending' and taken_at is not null then due_at else now() end,
    ended_at = null
  where id = $1
  returning ${columns}`;

/**
 * Owes a webhook again, from now on and with every try, whatever became of it before.
 *
 * @returns null when there is no such webhook
 */
export async function redeliverWebhook(pool: Pool, id: string): Promise<WebhookDelivery | null> {
  const { rows } = await pool.query<DeliveryRow>(redeliverSql, [id]);
  return rows[0] ? toDelivery(rows[0]) : null;
}

/** @returns how many webhooks are owed, and for how long the one that is due for longest has been, in milliseconds */
export async function countOwedWebhooks(pool: Pool): Promise<{ pending: number; oldestDueMs: number }> {
  const { rows } = await pool.query<{ pending: number; oldestDueMs: number }>(`
    select count(*)::int as pending,
      coalesce(extract(epoch from now() - min(due_at) filter (where due_at <= now())), 0)::float8 * 1000 as "oldestDueMs"
    from webhook_deliveries where status = 'pending'`);
  return rows[0] as { pending: number; oldestDueMs: number };
}
