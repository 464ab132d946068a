import { isFinished, withLinks } from '@offload/contracts';
import type { Database } from '@offload/database';
import type { RequestHandler } from 'express';
import { jobIdOf, jobNotFound } from './job-of-path.ts';
import { retryAfter } from './retry-after.ts';

/** `GET /v1/jobs/{id}`: the job, with a weak ETag from its version (RFC 9110 section 8.8.3). */
export function showJob({ database, notifierUrl }: { database: Database; notifierUrl: string }): RequestHandler {
  return async (request, response) => {
    const id = jobIdOf(request);
    const job = await database.getJob(id);
    if (!job) throw jobNotFound(id);

    const etag = `W/"${job.version}"`;
    response.set('ETag', etag).set('Cache-Control', 'private, no-cache');
    if (!isFinished(job.status)) response.set('Retry-After', retryAfter(job));
    if (isListed(etag, request.get('if-none-match'))) return void response.status(304).end();
    response.json(withLinks(job, notifierUrl));
  };
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
