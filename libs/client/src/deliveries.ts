import { jsonOf, listOf, unexpected, type Answer } from './answer.ts';
import type { Settings } from './options.ts';
import { request } from './request.ts';

/** A final status of a job, which triggers a webhook. */
export type WebhookEvent = 'succeeded' | 'failed' | 'cancelled';

/** The outcome of one attempt to deliver a webhook. */
export interface DeliveryAttempt {
  /** Counts from 1. A missing number is an interrupted attempt: the notifier does not know whether it arrived. */
  number: number;
  at: string;
  durationMs: number;
  /** HTTP status of the response; null where there was no response. */
  status: number | null;
  /** Why the attempt failed; null where it succeeded. */
  error: string | null;
}

/** A webhook delivery: one webhook with each attempt to send it. */
export interface Delivery {
  /** The `webhook-id` of every attempt. */
  readonly id: string;
  readonly jobId: string;
  /** Name of the configured endpoint; null for the job's own webhook. */
  readonly endpoint: string | null;
  /** The URL of the receiver. For a configured endpoint it has no path and no query. */
  readonly url: string;
  readonly event: WebhookEvent;
  /** `failed` means that the notifier has given up. */
  readonly status: 'pending' | 'delivered' | 'failed';
  /** Why the notifier has given up; null where it has not. */
  readonly error: string | null;
  /** The last 100 attempts, oldest first. */
  readonly attempts: DeliveryAttempt[];
  readonly createdAt: string;
  /** The earliest time of the next attempt, while the delivery is pending and no notifier is sending it; else null. */
  readonly nextAttemptAt: string | null;
  /** When the webhook was delivered or given up; null while it is pending. */
  readonly endedAt: string | null;
}

/** `GET /v1/jobs/{id}/deliveries`: the webhook deliveries of a job, oldest first. */
export async function listDeliveries(settings: Settings, jobUrl: URL, signal?: AbortSignal): Promise<Delivery[]> {
  const url = new URL(`${jobUrl.pathname}/deliveries`, jobUrl);
  const answer = await request(settings, { method: 'GET', url, signal, expected: [200] });
  return listOf<unknown>(answer, 'deliveries').map((each) => checkedDelivery(answer, each));
}

/**
 * `POST /v1/deliveries/{id}/redeliver`. Repeated like a safe request: at worst the notifier sends the webhook once
 * more, and the receiver recognises it by its id.
 */
export async function redeliver(settings: Settings, id: string, signal?: AbortSignal): Promise<Delivery> {
  const url = new URL(`v1/deliveries/${encodeURIComponent(id)}/redeliver`, settings.baseUrl);
  const answer = await request(settings, { method: 'POST', url, signal, expected: [202] });
  return checkedDelivery(answer, jsonOf(answer));
}

/** @throws UnexpectedAnswerError when the value is not a webhook delivery */
function checkedDelivery(answer: Answer, value: unknown): Delivery {
  const { id, jobId, status, attempts } = (value ?? {}) as Partial<Record<keyof Delivery, unknown>>;
  const isDelivery = [id, jobId, status].every((each) => typeof each === 'string') && Array.isArray(attempts);
  if (!isDelivery) throw unexpected(answer, 'something that is not a webhook delivery');
  return value as Delivery;
}
