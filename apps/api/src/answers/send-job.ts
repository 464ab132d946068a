import { sendRawJson, shareable } from '@offload/http/bodies';
import { isFinished, type Job, oncePerJob, SerializedJob } from '@offload/jobs';
import { jsonWithLinks } from '@offload/jobs/answers';
import type { Response } from 'express';
import type { Backlog } from '../loops/backlog.ts';
import { etagOf } from './preconditions.ts';
import { retryAfter } from './retry-after.ts';

export interface SendParts {
  backlog: Backlog;
  notifierUrl: string;
}

/** The estimates of a queued job. They change without a change of the job. */
export interface Estimate {
  position?: number;
  etaMs?: number | null;
}

/**
 * Answers with the job: with a weak ETag from its version (RFC 9110 section 8.8.3), and with `Retry-After` until the
 * job is finished.
 *
 * @param given.changed see `sendRawJson`
 */
export function sendJob(
  response: Response,
  job: Job,
  { backlog, notifierUrl }: SendParts,
  { estimate = {}, changed }: { estimate?: Estimate; changed?: boolean } = {},
): void {
  response.set('ETag', etagOf(job)).set('Cache-Control', 'private, no-cache');
  const ahead = estimate.position === undefined ? undefined : estimate.position - 1;
  if (!isFinished(job.status)) response.set('Retry-After', retryAfter(job, backlog, ahead));
  if (response.statusCode === 304) return void response.end();
  const body = shown(job, notifierUrl);
  const isEstimated = Object.keys(estimate).length > 0;
  sendRawJson(response, isEstimated ? withMembers(body, estimate) : body, changed);
}

const shown = oncePerJob((job, notifierUrl: string) => {
  return shareable(jsonWithLinks(new SerializedJob(job), notifierUrl));
});

/** Adds members to an object that is given as JSON. */
function withMembers(json: string | Buffer, members: object): string | Buffer {
  const added = `,${JSON.stringify(members).slice(1)}`;
  if (typeof json === 'string') return json.slice(0, -1) + added;
  return Buffer.concat([json.subarray(0, -1), Buffer.from(added)]);
}

/** Answers 202 with the job's `Location` and `Retry-After` (RFC 9110 section 15.3.3). */
export function sendAccepted(response: Response, serialized: SerializedJob, { backlog, notifierUrl }: SendParts): void {
  const { job } = serialized;
  response.status(202).setHeader('Location', `/v1/jobs/${job.id}`).setHeader('Retry-After', retryAfter(job, backlog));
  sendRawJson(response, jsonWithLinks(serialized, notifierUrl));
}
