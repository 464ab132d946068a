import { withLinks } from '@offload/contracts';
import type { Database } from '@offload/database';
import { Problem } from '@offload/runtime';
import type { RequestHandler } from 'express';
import type { Bell } from '../bell.ts';
import { jobIdOf, jobNotFound } from './job-of-path.ts';

/**
 * `POST /v1/jobs/{id}/cancel`: 200 when the job will never run, 202 when it is running and its worker is told; that job
 * ends as cancelled unless it succeeds first.
 */
export function cancelJob(parts: { database: Database; bell: Bell; notifierUrl: string }): RequestHandler {
  const { database, bell, notifierUrl } = parts;
  return async (request, response) => {
    const id = jobIdOf(request);
    const cancellation = await database.cancelJob(id);
    if (!cancellation) throw jobNotFound(id);
    const { kind, job } = cancellation;
    if (kind === 'finished') throw new Problem(409, 'job-finished', 'Job finished', `It is ${job.status} already`);
    response.status(kind === 'cancelled' ? 200 : 202).json(withLinks(job, notifierUrl));

    if (kind === 'cancelled') void bell.announce(job);
    else void bell.command({ command: 'cancel', jobId: id });
  };
}
