import type { Database } from '@offload/database';
import { invalidBody, Problem } from '@offload/http';
import { sendRawJson } from '@offload/http/bodies';
import { isFinished, jobId, plainText, SerializedJob } from '@offload/jobs';
import { jobWithLinks, jsonWithLinks } from '@offload/jobs/answers';
import { boundedParse } from '@offload/jobs/definitions';
import type { RequestHandler } from 'express';
import { z } from 'zod';
import { announceSurely } from '../answers/announce-surely.ts';
import type { Dispatcher } from '../dispatcher.ts';

/** A worker's name. */
export const instanceName = plainText(255);

/** In the form in which ids are compared: some languages write UUIDs in capitals. */
const givenId = z.uuid('must be a UUID').toLowerCase();

/** The body of `POST /v1/claims`: one delivery of a dispatch message. */
export const claimRequest = z.strictObject({
  jobId,
  dispatchId: givenId.describe("The message's `message_id`."),
  redelivered: z.boolean().default(false).describe('As the broker says it.'),
  deliveryCount: z
    .int32()
    .min(0)
    .default(0)
    .describe("The message's header `x-acquired-count`, or else `x-delivery-count`; without both 0."),
  claimId: givenId.describe('New for each delivery, and the same when this request is sent again.'),
  holder: instanceName.describe("The worker's name."),
});

/** What the call answers. */
export const claimedJob = z.object({
  attempt: z.int().describe('The number of the attempt, and its fence.'),
  typeVersion: z.int().describe('The version of the job type that took the payload.'),
  timeoutMs: z.int().describe('Most time of this attempt.'),
  job: jobWithLinks,
});

/**
 * `POST /v1/claims`: a worker that has a dispatch message claims its job. The answer is 200 with the attempt. It is 409 `held` while
 * another worker may hold the job through the same dispatch message, and 410 `refused` if there is nothing to run.
 */
export function claimJob(parts: { database: Database; dispatcher: Dispatcher; notifierUrl: string }): RequestHandler {
  const { database, dispatcher, notifierUrl } = parts;
  return async (request, response) => {
    const body = boundedParse(claimRequest, request.body);
    if (!body.success) throw invalidBody(body.error);
    const claim = await database.jobs.claim(body.data);
    if (claim.kind === 'held') {
      throw new Problem(
        409,
        'held',
        'The job is held',
        'Its holder may live: give the dispatch message back after a second',
        {
          headers: { 'Retry-After': '1' },
        },
      );
    }
    if (claim.kind !== 'claimed') {
      // The holder before may have died between its outcome and its event.
      const isToTell = claim.kind === 'ended' || body.data.redelivered;
      if (isToTell && claim.job && isFinished(claim.job.status)) {
        await announceSurely(dispatcher, new SerializedJob(claim.job));
      }
      throw new Problem(410, 'refused', 'There is nothing to run', 'Acknowledge the dispatch message');
    }
    const { job, serialized, typeVersion, timeoutMs } = claim;
    void dispatcher.publishEvent(serialized);
    const attempt = JSON.stringify({ attempt: job.attempt, typeVersion, timeoutMs });
    sendRawJson(response, `${attempt.slice(0, -1)},"job":${jsonWithLinks(serialized, notifierUrl)}}`);
  };
}
