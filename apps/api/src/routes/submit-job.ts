import type { Database, NewJob } from '@offload/database';
import { budgetOf } from '@offload/http';
import { isFinished } from '@offload/jobs';
import type { Request, RequestHandler, Response } from 'express';
import type { Intake, TakenJob } from '../intake/intake.ts';
import { newJob } from '../intake/new-job.ts';
import { traceparent } from '../intake/traceparent.ts';
import type { Waiters } from '../waiting/waiters.ts';
import { holdAsPreferred } from '../waiting/hold.ts';
import { idempotencyOf } from '../intake/idempotency-of.ts';
import { nullWhileAway } from '../waiting/null-while-away.ts';
import { briefOf, sendAccepted, sendJob, type SendParts } from '../answers/send-job.ts';

export interface SubmitParts extends SendParts {
  database: Database;
  intake: Intake;
  waiters: Waiters;
  queues: readonly string[];
  ownWebhooks?: boolean | undefined;
}

/**
 * `POST /v1/jobs`: 202 as soon as job and owed ring are committed. 200 with a job that is finished, because the request
 * preferred to wait for it, or that was there already, by its dedupe key.
 */
export function submitJob(parts: SubmitParts): RequestHandler {
  const { intake, queues, ownWebhooks } = parts;
  return async (request, response) => {
    const circumstances = { queues, ownWebhooks, traceparent: traceparent(request.get('traceparent')) };
    const wanted = newJob(request.body, circumstances);
    const idempotency = idempotencyOf(request, response);
    const hold = holdAsPreferred(request, response, parts);
    try {
      hold.watch(wanted.id);
      const { jobs, replayed } = await intake.take([wanted], idempotency);
      if (replayed) response.set('Idempotency-Replayed', 'true');
      const [taken] = jobs as [TakenJob];
      const { id } = taken.job;
      if (hold.waits) letGo(request, response, wanted, taken);
      if (!taken.made) response.set('Deduplicated', 'true');
      if (id !== wanted.id) hold.watch(id);
      const mayHaveChanged = hold.waits && id !== wanted.id;
      const read = hold.until(id, taken.isBrief || mayHaveChanged ? undefined : taken.job);
      // To have taken a job is not undone by not being able to read it.
      const job = (await nullWhileAway(read)) ?? taken.job;

      if (!isFinished(job.status) && taken.made) return sendAccepted(response, job, parts, taken.printed);
      response.status(200).set('Content-Location', `/v1/jobs/${id}`);
      sendJob(response, job, parts, { changed: taken.made || hold.waits }); // after a wait it might be made again
    } finally {
      hold.end();
    }
  };
}

/**
 * Keeps nothing large for as long as the request is held: a payload that counts to the budget, or that another request
 * has brought, is in the database, from where it is read for the answer. While that is away, the answer has null instead.
 */
function letGo(request: Request, response: Response, wanted: NewJob, taken: TakenJob): void {
  delete wanted.payloadJson;
  delete taken.printed;
  const isLarge = budgetOf(response).release(response);
  if (isLarge) request.body = wanted.payload = null;
  if (isLarge || !taken.made) taken.job = briefOf(taken.job);
}
