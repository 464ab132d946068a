import type { Database } from '@offload/database';
import { invalidParameters, Problem } from '@offload/http';
import type { RequestHandler } from 'express';
import { z } from 'zod';

/** The path of `POST /v1/deliveries/{id}/redeliver`. */
export const deliveryParameters = z.object({ id: z.uuid('must be a UUID').toLowerCase() });

/**
 * `POST /v1/deliveries/{id}/redeliver`: answers 202 with a webhook that is pending again, with all its retries. A
 * notifier sends it within a second. Answers 409 if the webhook's endpoint is no longer configured.
 */
export function redeliver({ database }: { database: Database }): RequestHandler {
  return async (request, response) => {
    const parsed = deliveryParameters.safeParse(request.params);
    if (!parsed.success) throw invalidParameters(parsed.error);
    const { id } = parsed.data;
    const delivery = await database.webhooks.redeliver(id);
    if (!delivery) {
      const detail = `There is no webhook delivery ${id}: webhook deliveries are deleted with their job`;
      throw new Problem(404, 'delivery-not-found', 'Delivery not found', detail);
    }
    if (delivery === 'endpoint-removed') {
      const detail = `No notifier has the endpoint of webhook delivery ${id} in its configuration any more`;
      throw new Problem(409, 'endpoint-removed', 'The endpoint is not configured', detail);
    }
    response.status(202).location(`/v1/jobs/${delivery.jobId}/deliveries`).json(delivery);
  };
}
