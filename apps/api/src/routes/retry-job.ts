import type { Database } from '@offload/database';
import { Problem } from '@offload/http';
import { SerializedJob } from '@offload/jobs';
import type { RequestHandler } from 'express';
import type { Dispatcher } from '../dispatcher.ts';
import type { OneForEach } from '../answers/few-at-once.ts';
import { jobIdOf, jobNotFound } from '../answers/job-of-path.ts';
import { sendAccepted, type SendParts } from '../answers/send-job.ts';

/**
 * `POST /v1/jobs/{id}/retry`: queues a failed or cancelled job again, for one more attempt at least, and answers 202.
 */
export function retryJob(
  parts: SendParts & { database: Database; dispatcher: Dispatcher; oneForEach: OneForEach },
): RequestHandler {
  const { database, dispatcher, oneForEach, backlog } = parts;
  return async (request, response) => {
    const id = jobIdOf(request);
    const retry = await oneForEach(id, () => database.jobs.retry(id));
    if (!retry) throw jobNotFound(id);
    if (retry.kind === 'duplicate') {
      const detail = 'Another unfinished job of this type has the same dedupeKey';
      throw new Problem(409, 'job-duplicated', 'The job has an unfinished duplicate', detail);
    }
    const { job } = retry;
    if (retry.kind === 'refused') {
      const detail = `The job is ${job.status}: only failed and cancelled jobs can be retried`;
      throw new Problem(409, 'job-not-finished', 'The status of the job does not allow this', detail);
    }
    const serialized = new SerializedJob(job);
    sendAccepted(response, serialized, parts);

    void dispatcher.publishEvent(serialized);
    backlog.accepted(job.queue, 1);
    dispatcher.dispatchSoon(retry.dispatch);
  };
}
