import { isFinished, jobId, withLinks } from '@offload/contracts';
import type { Database } from '@offload/database';
import { invalidParameters, Problem } from '@offload/runtime';
import type { RequestHandler } from 'express';
import { z } from 'zod';
import { retryAfter } from './retry-after.ts';

const parameters = z.object({ id: jobId });

/** `GET /v1/jobs/{id}`: the job, with a weak ETag from its version (RFC 9110 section 8.8.3). */
export function showJob({ database, notifierUrl }: { database: Database; notifierUrl: string }): RequestHandler {
  return async (request, response) => {
    const parsed = parameters.safeParse(request.params);
    if (!parsed.success) throw invalidParameters(parsed.error);
    const { id } = parsed.data;
    const job = await database.getJob(id);
    if (!job) throw new Problem(404, 'job-not-found', 'Job not found', `There is no job ${id}`);

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
