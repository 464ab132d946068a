import { isFinished } from '@offload/jobs';
import type { Database } from '@offload/database';
import { Problem } from '@offload/http';
import type { RequestHandler } from 'express';
import type { OneForEach } from '../answers/few-at-once.ts';
import { jobIdOf, jobNotFound } from '../answers/job-of-path.ts';
import { checkPreconditions, hasPreconditions } from '../answers/preconditions.ts';

/** `DELETE /v1/jobs/{id}`: answers 204 when it has deleted a finished job. */
export function deleteJob({ database, oneForEach }: { database: Database; oneForEach: OneForEach }): RequestHandler {
  return async (request, response) => {
    const id = jobIdOf(request);
    if (hasPreconditions(request)) {
      const job = await database.jobs.getBrief(id);
      // A conflict comes before preconditions (RFC 9110 section 13.2.1).
      if (job && isFinished(job.status)) checkPreconditions(request, job);
    }
    const deletion = await oneForEach(id, () => database.jobs.delete(id));
    if (!deletion) throw jobNotFound(id);
    if (deletion !== 'deleted') {
      const detail = `The job is ${deletion.job.status}: cancel it first`;
      throw new Problem(409, 'job-not-finished', 'The status of the job does not allow this', detail);
    }
    response.status(204).end();
  };
}
