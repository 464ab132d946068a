import type { Database } from '@offload/database';
import { Problem } from '@offload/runtime';
import type { RequestHandler } from 'express';
import { jobIdOf, jobNotFound } from './job-of-path.ts';

/** `DELETE /v1/jobs/{id}`: 204 when a finished job is gone. */
export function deleteJob({ database }: { database: Database }): RequestHandler {
  return async (request, response) => {
    const id = jobIdOf(request);
    const deletion = await database.deleteJob(id);
    if (!deletion) throw jobNotFound(id);
    if (deletion !== 'deleted') {
      const detail = `It is ${deletion.job.status}: cancel it first`;
      throw new Problem(409, 'job-not-finished', 'The job is not finished', detail);
    }
    response.status(204).end();
  };
}
