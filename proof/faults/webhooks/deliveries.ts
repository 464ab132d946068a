import { sql } from '@offload/running-system';

/** The final row of a webhook delivery. */
export interface DeliveryRow {
  id: string;
  jobId: string;
  endpoint: string | null;
  url: string;
  event: string;
  status: 'pending' | 'delivered' | 'failed';
  /** Number of started attempts. */
  attempt: number;
  /** The recorded attempts. A killed notifier records nothing. */
  log: { at: string; durationMs: number; status: number | null }[];
  /** When the job was finished, in milliseconds since 1970. */
  createdAt: number;
}

/** Reads the rows of all webhook deliveries. */
export function readDeliveries(url: string): Promise<DeliveryRow[]> {
  return sql<DeliveryRow>(
    url,
    `select id, job_id as "jobId", endpoint, url, event, status, attempt, log,
       (extract(epoch from created_at) * 1000)::float8 as "createdAt"
     from webhook_deliveries`,
  );
}

/** Number of pending webhooks. */
export async function pending(url: string): Promise<number> {
  const text = `select count(*)::int as pending from webhook_deliveries where status = 'pending'`;
  const [row] = await sql<{ pending: number }>(url, text);
  return row?.pending ?? NaN;
}
