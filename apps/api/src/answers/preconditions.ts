import type { Job } from '@offload/jobs';
import { Problem } from '@offload/http';
import type { Request } from 'express';

/** Weak (RFC 9110 section 8.8.1): `position` and `etaMs` change without it. */
export function etagOf(job: Job): string {
  return `W/"${job.version}"`;
}

/** Whether the request has conditions that can keep it from being performed. */
export function hasPreconditions(request: Request): boolean {
  return request.get('if-match') !== undefined || request.get('if-none-match') !== undefined;
}

/**
 * Checks the conditions of a request for a job, in the order of RFC 9110 section 13.2.2. `If-Match` compares strongly:
 * our weak tags match nothing, so it can only ask that there is a job at all.
 *
 * @returns `not-modified` when the client of a GET or HEAD has the job already: the answer is 304
 * @throws Problem 412 when the request must not be performed
 */
export function checkPreconditions(request: Request, job: Job): 'perform' | 'not-modified' {
  const ifMatch = request.get('if-match');
  if (ifMatch !== undefined && ifMatch.trim() !== '*') throw failed('If-Match');
  const known = isListed(etagOf(job), request.get('if-none-match'));
  if (known && request.method !== 'GET' && request.method !== 'HEAD') throw failed('If-None-Match');
  return known ? 'not-modified' : 'perform';
}

/**
 * Whether `If-None-Match` lists the tag, by weak comparison (RFC 9110 section 13.1.2). Not express's `request.fresh`: a
 * `Cache-Control: no-cache` of the request, which fetch adds by itself, would win over the tag there.
 */
function isListed(etag: string, ifNoneMatch: string | undefined): boolean {
  if (ifNoneMatch?.trim() === '*') return true;
  const opaque = (tag: string): string => tag.replace(/^W\//, '');
  return (ifNoneMatch?.match(/(W\/)?"[^"]*"/g) ?? []).some((tag) => opaque(tag) === opaque(etag));
}

function failed(field: string): Problem {
  return new Problem(412, 'precondition-failed', 'A precondition is not met', `${field} keeps this from being done`);
}
