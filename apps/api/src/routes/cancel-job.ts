import { withLinks } from '@offload/contracts';
import type { Database } from '@offload/database';
import { Problem } from '@offload/runtime';
import type { RequestHandler } from 'express';
import type { Bell } from '../bell.ts';
import { jobIdOf, jobNotFound } from './job-of-path.ts';
import { retryAfter } from './retry-after.ts';
import type { SendParts } from './send-job.ts';

/**
 * `POST /v1/jobs/{id}/cancel`: 200 when the job will never run, 202 when it is running and its worker is told; that job
 * ends as cancelled unless it succeeds first.
 */
export function cancelJob(parts: SendParts & { database: Database; bell: Bell }): RequestHandler {
  const { database, bell, backlog, notifierUrl } = parts;
  return async (request, response) => {
    const id = jobIdOf(request);
    const cancellation = await database.cancelJob(id);
    if (!cancellation) throw jobNotFound(id);
    const { kind, job } = cancellation;
    if (kind === 'finished') throw new Problem(409, 'job-finished', 'Job finished', `It is ${job.status} already`);
    if (kind === 'requested') response.location(`/v1/jobs/${id}`).set('Retry-After', retryAfter(job, backlog));
    response.status(kind === 'cancelled' ? 200 : 202).json(withLinks(job, notifierUrl));

    if (kind === 'cancelled') void bell.announce(job);
    else void bell.command({ command: 'cancel', jobId: id });
  };
}
