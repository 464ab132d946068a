import { sql } from '@offload/running-system';

/** What the sender has written of a webhook, in the end. */
export interface DeliveryRow {
  id: string;
  jobId: string;
  endpoint: string | null;
  url: string;
  event: string;
  status: 'pending' | 'delivered' | 'failed';
  /** attempts begun */
  attempt: number;
  /** of those of which something was written; a killed notifier writes nothing */
  log: { at: string; durationMs: number; status: number | null }[];
  /** milliseconds since 1970: when the job ended */
  createdAt: number;
}

export function readDeliveries(url: string): Promise<DeliveryRow[]> {
  return sql<DeliveryRow>(
    url,
    `select id, job_id as "jobId", endpoint, url, event, status, attempt, log,
       (extract(epoch from created_at) * 1000)::float8 as "createdAt"
     from webhook_deliveries`,
  );
}

/** How many are still pending. */
export async function pending(url: string): Promise<number> {
  const text = `select count(*)::int as pending from webhook_deliveries where status = 'pending'`;
  const [row] = await sql<{ pending: number }>(url, text);
  return row?.pending ?? NaN;
}
