import type { Job } from '@offload/jobs';
import { Problem } from '@offload/http';
import type { Request } from 'express';

/** The tag is weak (RFC 9110 section 8.8.1), since `position` and `etaMs` change without it. */
export function etagOf(job: Job): string {
  return `W/"${job.version}"`;
}

/** Whether the request has conditions. */
export function hasPreconditions(request: Request): boolean {
  return request.get('if-match') !== undefined || request.get('if-none-match') !== undefined;
}

/**
 * Checks the conditions of a request for a job, in the order of RFC 9110 section 13.2.2. The field `If-Match` compares
 * strongly, and our weak tags match nothing. So only `If-Match: *` can match.
 *
 * @returns `not-modified` when the client of a GET or HEAD has the job already: the answer is 304
 * @throws Problem 412 when a condition does not hold
 */
export function checkPreconditions(request: Request, job: Job): 'perform' | 'not-modified' {
  const ifMatch = request.get('if-match');
  if (ifMatch !== undefined && ifMatch.trim() !== '*') throw failed('If-Match');
  const known = isListed(etagOf(job), request.get('if-none-match'));
  if (known && request.method !== 'GET' && request.method !== 'HEAD') throw failed('If-None-Match');
  return known ? 'not-modified' : 'perform';
}

/**
 * Whether `If-None-Match` lists the tag, by weak comparison (RFC 9110 section 13.1.2). Express's `request.fresh` does
 * not fit: it ignores the tag when the request has `Cache-Control: no-cache`, which fetch adds by itself.
 */
function isListed(etag: string, ifNoneMatch: string | undefined): boolean {
  if (ifNoneMatch?.trim() === '*') return true;
  const opaque = (tag: string): string => tag.replace(/^W\//, '');
  return (ifNoneMatch?.match(/(W\/)?"[^"]*"/g) ?? []).some((tag) => opaque(tag) === opaque(etag));
}

function failed(field: string): Problem {
  return new Problem(
    412,
    'precondition-failed',
    'A precondition is not met',
    `The condition in ${field} does not hold`,
  );
}
