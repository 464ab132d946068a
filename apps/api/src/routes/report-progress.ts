import type { Database } from '@offload/database';
import { invalidBody } from '@offload/http';
import { SerializedJob, storable } from '@offload/jobs';
import { boundedParse } from '@offload/jobs/definitions';
import type { RequestHandler } from 'express';
import { z } from 'zod';
import { attemptOf, fenced } from '../answers/attempt-of-path.ts';
import type { Dispatcher } from '../dispatcher.ts';

/** The body of `PUT /v1/jobs/{id}/attempts/{attempt}/progress`. */
export const progressReport = z.strictObject({
  percent: z.number().min(0).max(100),
  message: z.string().nullable().default(null).describe('500 characters are kept.'),
});

/** `PUT /v1/jobs/{id}/attempts/{attempt}/progress`: 204, or 409 `fenced`. */
export function reportProgress({
  database,
  dispatcher,
}: {
  database: Database;
  dispatcher: Dispatcher;
}): RequestHandler {
  return async (request, response) => {
    const path = attemptOf(request);
    const body = boundedParse(progressReport, request.body);
    if (!body.success) throw invalidBody(body.error);
    const { percent, message } = body.data;
    const progress = { percent, message: message === null ? null : storable(message, 500) };
    const job = await database.jobs.reportProgress(path.id, path.attempt, progress);
    if (!job) throw fenced(path);
    void dispatcher.publishEvent(new SerializedJob(job), 'job.progress');
    response.status(204).end();
  };
}
