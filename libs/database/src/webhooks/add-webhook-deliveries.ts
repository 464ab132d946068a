import { jobSnapshot } from '../job-row.ts';

/** SQL: that nobody is pending a webhook when `job` ends, as of now. */
export const wantsNoWebhook = (job: string): string =>
  `(${job}.webhook is null and not exists (select from webhook_endpoints where gone_at is null))`;

/**
 * Part of each statement that can end a job: owes the webhooks of those that it has ended, out of its rows `job`. So they
 * are pending in the transaction of the terminal state, whatever becomes of the event.
 */
export const addWebhookDeliveries = `
    insert into webhook_deliveries (id, job_id, endpoint, url, host, event, snapshot, bytes)
    select uuid_v7(), job.id, target.endpoint, target.url, target.host, job.status, kept.snapshot,
      octet_length(kept.snapshot::text)
    from job cross join lateral (
      select null as endpoint, job.webhook->>'url' as url, job.webhook->>'host' as host
      where job.webhook->'events' ? job.status::text
      union all
      select name, url, host from webhook_endpoints
      where job.status = any(events) and gone_at is null
        and (types = '{}' or job.type = any(types))
        and (queues = '{}' or job.queue = any(queues))
        and (tags = '{}' or job.tags && tags)
    ) as target cross join lateral (select ${jobSnapshot} as snapshot) as kept
    where job.status in ('succeeded', 'failed', 'cancelled')`;
