import type { Database } from '@offload/database';
import type { RequestHandler } from 'express';

/** `GET /v1/workers`: the workers that have registered in the last hour and have not stopped. */
export function listWorkers({ database }: { database: Pick<Database, 'jobTypes'> }): RequestHandler {
  return async (_request, response) => {
    response.set('Cache-Control', 'no-store').json({ workers: await database.jobTypes.workers() });
  };
}
