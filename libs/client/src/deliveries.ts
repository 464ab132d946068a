import type { WebhookDelivery } from '@offload/jobs/webhooks';
import { jsonOf, listOf, unexpected, type Answer } from './answer.ts';
import type { Settings } from './options.ts';
import { request } from './request.ts';

/** A webhook that is owed, or was, and each attempt to deliver it. */
export type Delivery = Readonly<WebhookDelivery>;

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
