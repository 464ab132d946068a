import { jsonOf, unexpected } from './answer.ts';
import type { Settings } from './options.ts';
import type { WorkerInfo } from './queues-and-workers.ts';
import { request } from './request.ts';

/** `POST /v1/workers/{instance}/drain`. Rejects with 404 `worker-not-found`. */
export async function drainWorker(settings: Settings, instance: string, signal?: AbortSignal): Promise<WorkerInfo> {
  const url = new URL(`v1/workers/${encodeURIComponent(instance)}/drain`, settings.baseUrl);
  const answer = await request(settings, { method: 'POST', url, signal, expected: [202] });
  const info = (jsonOf(answer) ?? {}) as Partial<WorkerInfo>;
  if (typeof info.instance !== 'string') throw unexpected(answer, 'no worker');
  return info as WorkerInfo;
}
