import { SerializedJob } from '@offload/jobs';
import { jsonWithLinks } from '@offload/jobs/answers';
import type { Database } from '@offload/database';
import { Problem } from '@offload/http';
import { sendRawJson } from '@offload/http/bodies';
import type { RequestHandler } from 'express';
import type { Dispatcher } from '../dispatcher.ts';
import type { OneForEach } from '../answers/few-at-once.ts';
import { jobIdOf, jobNotFound } from '../answers/job-of-path.ts';
import { sendAccepted, type SendParts } from '../answers/send-job.ts';

/**
 * `POST /v1/jobs/{id}/cancel`: answers 200 when the job is cancelled, and 202 when it is running. In that case the api
 * sends a command to the worker; the job finishes as cancelled unless it succeeds first.
 */
export function cancelJob(
  parts: SendParts & { database: Database; dispatcher: Dispatcher; oneForEach: OneForEach },
): RequestHandler {
  const { database, dispatcher, oneForEach, notifierUrl } = parts;
  return async (request, response) => {
    const id = jobIdOf(request);
    const cancellation = await oneForEach(id, () => database.jobs.cancel(id));
    if (!cancellation) throw jobNotFound(id);
    const { kind, job } = cancellation;
    if (kind === 'finished') throw new Problem(409, 'job-finished', 'Job finished', `The job is ${job.status} already`);
    const serialized = new SerializedJob(job);
    if (kind === 'requested') {
      sendAccepted(response, serialized, parts);
      return void dispatcher.command({ command: 'cancel', jobId: id });
    }
    sendRawJson(response, jsonWithLinks(serialized, notifierUrl));
    void dispatcher.publishEvent(serialized);
  };
}
