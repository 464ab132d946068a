import { jsonOf, listOf, unexpected, type Answer } from './answer.ts';
import type { Settings } from './options.ts';
import { request } from './request.ts';

/** How a job can end, and so what a webhook can tell. */
export type WebhookEvent = 'succeeded' | 'failed' | 'cancelled';

/** What became of one attempt to deliver a webhook. */
export interface DeliveryAttempt {
  /** From 1. One that is missing was interrupted: nobody knows whether it arrived. */
  number: number;
  at: string;
  durationMs: number;
  /** HTTP status of the response; null where there was none. */
  status: number | null;
  /** Why it was not delivered; null where it was. */
  error: string | null;
}

/** A webhook that is pending, or was, and each attempt to deliver it. */
export interface Delivery {
  /** The `webhook-id` of every attempt. */
  readonly id: string;
  readonly jobId: string;
  /** Name of the configured endpoint; null for the job's own webhook. */
  readonly endpoint: string | null;
  /** Where it goes; of a configured endpoint without path and query. */
  readonly url: string;
  readonly event: WebhookEvent;
  /** `failed` was given up. */
  readonly status: 'pending' | 'delivered' | 'failed';
  /** Why it was given up; null where it was not. */
  readonly error: string | null;
  /** Oldest first, the last 100. */
  readonly attempts: DeliveryAttempt[];
  readonly createdAt: string;
  /** Of a pending one that nobody is sending just now; not before. */
  readonly nextAttemptAt: string | null;
  /** When it was delivered or given up. */
  readonly endedAt: string | null;
}

/** `GET /v1/jobs/{id}/deliveries`: the job's webhooks, oldest first. */
export async function listDeliveries(settings: Settings, jobUrl: URL, signal?: AbortSignal): Promise<Delivery[]> {
  const url = new URL(`${jobUrl.pathname}/deliveries`, jobUrl);
  const answer = await request(settings, { method: 'GET', url, signal, expected: [200] });
  return listOf<unknown>(answer, 'deliveries').map((each) => checkedDelivery(answer, each));
}

/**
 * `POST /v1/deliveries/{id}/redeliver`. Repeated like a request that is safe: at worst the webhook is sent once more, and its
 * receiver knows it by its id.
 */
export async function redeliver(settings: Settings, id: string, signal?: AbortSignal): Promise<Delivery> {
  const url = new URL(`v1/deliveries/${encodeURIComponent(id)}/redeliver`, settings.baseUrl);
  const answer = await request(settings, { method: 'POST', url, signal, expected: [202] });
  return checkedDelivery(answer, jsonOf(answer));
}

/** @throws UnexpectedAnswerError when this is no delivery */
function checkedDelivery(answer: Answer, value: unknown): Delivery {
  const { id, jobId, status, attempts } = (value ?? {}) as Partial<Record<keyof Delivery, unknown>>;
  const isDelivery = [id, jobId, status].every((each) => typeof each === 'string') && Array.isArray(attempts);
  if (!isDelivery) throw unexpected(answer, 'something that is no delivery');
  return value as Delivery;
}
