import type { Database, HeldJob } from '@offload/database';
import { invalidBody } from '@offload/http';
import { jobId } from '@offload/jobs';
import { boundedParse } from '@offload/jobs/definitions';
import type { RequestHandler } from 'express';
import { z } from 'zod';
import { instanceOf } from './register-worker.ts';

/** The body of `PUT /v1/workers/{instance}/holdings`: the jobs whose dispatch messages the worker has. */
export const holdings = z
  .array(
    z.strictObject({
      jobId,
      attempt: z
        .int32()
        .min(1)
        .nullable()
        .describe('The attempt that it runs; null while it has the dispatch message and has not claimed the job.'),
    }),
  )
  .max(10_000);

/** What the call answers. */
export const held = z.object({
  cancel: z.array(jobId).describe('To be stopped: they are to be cancelled, or are not the worker’s any more.'),
  drain: z.boolean().describe('The worker is to take no new jobs, to finish those that it has, and to end.'),
});

/**
 * `PUT /v1/workers/{instance}/holdings`: the worker lives, and holds these. It counts as an answer to a liveness check. A worker
 * that sends it every ten seconds is never taken for dead, and hears what is asked of it.
 */
export function holdJobs({ database }: { database: Database }): RequestHandler {
  return async (request, response) => {
    const instance = instanceOf(request);
    const body = boundedParse(holdings, request.body);
    if (!body.success) throw invalidBody(body.error);
    const [cancelled, lost, drain] = await Promise.all([
      body.data.length > 0 ? database.jobs.hold(body.data) : [],
      lostOf(body.data, database),
      database.jobTypes.hearHolder(instance),
    ]);
    response.json({ cancel: [...new Set([...cancelled, ...lost])], drain });
  };
}

/** @returns the jobs of which another attempt runs by now, or none */
async function lostOf(held: readonly HeldJob[], database: Database): Promise<string[]> {
  const claimed = held.filter(({ attempt }) => attempt !== null);
  const jobs = await Promise.all(claimed.map(({ jobId }) => database.jobs.getBrief(jobId)));
  return claimed
    .filter(({ attempt }, index) => jobs[index]?.attempt !== attempt || jobs[index]?.status !== 'running')
    .map(({ jobId }) => jobId);
}
