import type { Database } from '@offload/database';
import { sendJson } from '@offload/http/bodies';
import type { RequestHandler } from 'express';
import { jobIdOf, jobNotFound } from '../answers/job-of-path.ts';

/** `GET /v1/jobs/{id}/deliveries`: the job's webhook deliveries, oldest first, each with its attempts. */
export function listDeliveries({ database }: { database: Database }): RequestHandler {
  return async (request, response) => {
    const id = jobIdOf(request);
    const deliveries = await database.webhooks.list(id);
    if (!deliveries) throw jobNotFound(id);
    sendJson(response.set('Cache-Control', 'no-store'), { deliveries });
  };
}
