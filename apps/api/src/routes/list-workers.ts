import type { Database } from '@offload/database';
import type { RequestHandler } from 'express';

/** `GET /v1/workers`: the workers that were heard in the last hour and have not ended, and what they do. */
export function listWorkers({ database }: { database: Pick<Database, 'jobTypes'> }): RequestHandler {
  return async (_request, response) => {
    response.set('Cache-Control', 'no-store').json({ workers: await database.jobTypes.workers() });
  };
}
