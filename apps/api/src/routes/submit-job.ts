import type { Database } from '@offload/database';
import { budgetOf } from '@offload/http/bodies';
import { isFinished, SerializedJob } from '@offload/jobs';
import type { Request, RequestHandler, Response } from 'express';
import type { Intake, TakenJob } from '../intake/intake.ts';
import { learnTypes, newJob } from '../intake/new-job.ts';
import { traceparent } from '../intake/traceparent.ts';
import type { JobTypes } from '../job-types/job-types.ts';
import type { Waiters } from '../waiting/waiters.ts';
import { holdAsPreferred, type Hold } from '../waiting/hold.ts';
import { idempotencyOf } from '../intake/idempotency-of.ts';
import { nullWhileAway } from '../waiting/null-while-away.ts';
import { sendAccepted, sendJob, type SendParts } from '../answers/send-job.ts';

export interface SubmitParts extends SendParts {
  database: Database;
  intake: Intake;
  waiters: Waiters;
  types: JobTypes;
  queues: readonly string[];
  ownWebhooks?: boolean | undefined;
}

/**
 * `POST /v1/jobs`: answers 202 as soon as job and outbox row are committed. Answers 200 with a finished job if the
 * request prefers to wait, and 200 with an earlier job that has the same dedupe key.
 */
export function submitJob(parts: SubmitParts): RequestHandler {
  return async (request, response) => {
    const hold = holdAsPreferred(request, response, parts);
    try {
      const { taken, isNew } = await take(request, response, hold, parts);
      const { serialized, made } = taken;
      const { id } = serialized.job;
      if (!made) response.set('Deduplicated', 'true');
      const mayHaveChanged = hold.waits && !isNew;
      const read = hold.until(id, made && !mayHaveChanged ? serialized.job : undefined);
      // The job is stored, even if the database cannot be read now.
      const job = (await nullWhileAway(read)) ?? serialized.job;

      if (!isFinished(job.status) && made) return sendAccepted(response, serialized.next(job), parts);
      response.status(200).set('Content-Location', `/v1/jobs/${id}`);
      sendJob(response, job, parts, { changed: made || hold.waits }); // no 503 after a wait
    } finally {
      hold.end();
    }
  };
}

/**
 * Makes the job, or finds it. While a request is held, no large payload stays in memory. The api reads it again for the
 * answer if it counts towards the byte limit, or if an earlier request has sent it. If PostgreSQL is away then, the
 * answer has null instead.
 *
 * @returns whether this request has made the job, and not an earlier request with the same key
 */
async function take(
  request: Request,
  response: Response,
  hold: Hold,
  { intake, types, queues, ownWebhooks }: SubmitParts,
): Promise<{ taken: TakenJob; isNew: boolean }> {
  await learnTypes(request.body, types);
  const circumstances = { types, queues, ownWebhooks, traceparent: traceparent(request.get('traceparent')) };
  const wanted = newJob(request.body, circumstances);
  hold.watch(wanted.id);
  const { jobs, replayed } = await intake.take([wanted], idempotencyOf(request, response));
  if (replayed) response.set('Idempotency-Replayed', 'true');
  const [taken] = jobs as [TakenJob];
  const { serialized, made } = taken;
  const { job } = serialized;
  const isNew = job.id === wanted.id;
  if (!isNew) hold.watch(job.id);
  if (!hold.waits) return { taken, isNew };
  const isLarge = budgetOf(response).release(response);
  if (isLarge) request.body = null;
  return { taken: { serialized: isLarge || !made ? serialized.brief() : new SerializedJob(job), made }, isNew };
}
