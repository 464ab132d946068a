import type { Database } from '@offload/database';
import { Problem } from '@offload/http';
import { sendJson, sendRawJson, shareable } from '@offload/http/bodies';
import { isFinished, oncePerJob } from '@offload/jobs';
import { withLinks } from '@offload/jobs/answers';
import type { RequestHandler } from 'express';
import { jobIdOf, jobNotFound } from '../answers/job-of-path.ts';
import { checkPreconditions, etagOf } from '../answers/preconditions.ts';
import { retryAfter } from '../answers/retry-after.ts';
import type { SendParts } from '../answers/send-job.ts';

const resultOf = oncePerJob(({ result }) => shareable(JSON.stringify(result)));

/** `GET /v1/jobs/{id}/result`: only the result of a job that has succeeded; 202 while the job is not finished. */
export function showResult(parts: SendParts & { database: Database }): RequestHandler {
  const { database, backlog, notifierUrl } = parts;
  return async (request, response) => {
    const id = jobIdOf(request);
    const job = await database.jobs.get(id);
    if (!job) throw jobNotFound(id);
    response.set('Cache-Control', 'private, no-cache');
    if (!isFinished(job.status)) {
      response.status(202).set('Retry-After', retryAfter(job, backlog));
      return sendJson(response, withLinks(job, notifierUrl));
    }
    if (job.status === 'failed') {
      const { code, message } = job.error ?? { code: 'unknown', message: '' };
      throw new Problem(409, 'job-failed', 'The job failed', `${code}: ${message}`);
    }
    if (job.status === 'cancelled')
      throw new Problem(409, 'job-cancelled', 'The job was cancelled', `The job has no result`);
    response.set('ETag', etagOf(job));
    if (checkPreconditions(request, job) === 'not-modified') return void response.status(304).end();
    sendRawJson(response, resultOf(job));
  };
}
