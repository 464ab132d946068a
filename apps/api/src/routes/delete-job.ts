import { isFinished } from '@offload/contracts';
import type { Database } from '@offload/database';
import { Problem } from '@offload/runtime';
import type { RequestHandler } from 'express';
import type { OneForEach } from '../few-at-once.ts';
import { jobIdOf, jobNotFound } from './job-of-path.ts';
import { hasPreconditions, isKnown } from './preconditions.ts';

/** `DELETE /v1/jobs/{id}`: 204 when a finished job is gone. */
export function deleteJob({ database, oneForEach }: { database: Database; oneForEach: OneForEach }): RequestHandler {
  return async (request, response) => {
    const id = jobIdOf(request);
    if (hasPreconditions(request)) {
      const job = await database.getBriefJob(id);
      // A conflict is told first (RFC 9110 section 13.2.1).
      if (job && isFinished(job.status)) isKnown(request, job);
    }
    const deletion = await oneForEach(id, () => database.deleteJob(id));
    if (!deletion) throw jobNotFound(id);
    if (deletion !== 'deleted') {
      const detail = `It is ${deletion.job.status}: cancel it first`;
      throw new Problem(409, 'job-not-finished', 'The job is not ready for this', detail);
    }
    response.status(204).end();
  };
}
