import { randomUUID } from 'node:crypto';
import type { Webhook, WebhookEvent } from '@offload/jobs/webhooks';
import { useJobs } from '../transitions/spec-jobs.ts';
import type { RecordedAttempt } from './record-attempts.ts';
import type { TakenWebhook, Taking } from './take-webhooks.ts';

export const jobs = useJobs();
export const all: WebhookEvent[] = ['succeeded', 'failed', 'cancelled'];
export const error = { code: 'handler-error', message: 'no', attempt: 1 };

/** Each test has a host of its own, since all share one table. */
export const newHost = (): string => `${randomUUID()}.test`;
export const webhookTo = (host: string, more: Partial<Webhook> = {}): Webhook => ({
  url: `https://${host}/hook`,
  events: all,
  ...more,
});

export const taking = (more: Partial<Taking> = {}): Taking => ({
  limit: 100,
  maxBytes: 1_000_000,
  perHost: 100,
  room: new Map(),
  endpoints: [],
  jobsOwn: true,
  leaseMs: 60_000,
  ...more,
});

/** What is pending for this host; what is pending for others is left to their tests. */
export async function take(host: string, more: Partial<Taking> = {}): Promise<TakenWebhook[]> {
  const room = new Map([[host, 100]]);
  return (await jobs.database.webhooks.take(taking({ perHost: 0, room, ...more }))).taken;
}

export async function finished(webhook: Webhook, more = {}): Promise<string> {
  const { id, settle } = await jobs.running({ webhook, ...more });
  await settle({ status: 'succeeded', result: { ok: true } });
  return id;
}

export async function pending(host: string): Promise<TakenWebhook> {
  await finished(webhookTo(host));
  return (await take(host))[0] as TakenWebhook;
}

export function record(
  { id, attempt }: TakenWebhook,
  outcome: RecordedAttempt['outcome'],
  status = 204,
): Promise<void> {
  const entry = { durationMs: 12, status, error: outcome.kind === 'delivered' ? null : 'it answered so' };
  return jobs.database.webhooks.record({ id, attempt, entry, outcome });
}

export const log = async (jobId: string) => (await jobs.database.webhooks.list(jobId)) ?? [];
