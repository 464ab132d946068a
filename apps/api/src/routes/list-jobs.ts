import { jobStatus, plainText, queueName, time } from '@offload/jobs';
import { withLinks } from '@offload/jobs/answers';
import type { Database } from '@offload/database';
import { invalidParameters } from '@offload/http';
import { sendJson } from '@offload/http/bodies';
import type { RequestHandler } from 'express';
import { z } from 'zod';
import { decodeCursor, encodeCursor } from './cursor.ts';
import { createFewAtOnce } from '../answers/few-at-once.ts';

/**
 * Most pages that are read at once. A page may have megabytes: more pages would take memory and database connections.
 */
const MOST_READS = 2;

/** The parameters of `GET /v1/jobs`. */
export const listQuery = z.strictObject({
  status: jobStatus.optional(),
  type: plainText(255).optional(),
  queue: queueName.optional(),
  tag: plainText(64).optional().describe('Only jobs that have this tag.'),
  createdAfter: time.optional().describe('Only jobs made after this time.'),
  createdBefore: time.optional().describe('Only jobs made before this time.'),
  limit: z
    .string()
    .regex(/^\d{1,3}$/, 'must be a whole number from 1 to 200')
    .transform(Number)
    .pipe(z.int().min(1).max(200))
    .default(50)
    .meta({
      type: 'integer',
      minimum: 1,
      maximum: 200,
      default: 50,
      pattern: undefined,
      description: 'Most jobs on a page.',
    }),
  cursor: z
    .string()
    .transform((text, context) => {
      const id = decodeCursor(text);
      if (id === null) context.addIssue('must be the nextCursor of an earlier answer');
      return id ?? z.NEVER;
    })
    .optional()
    .describe('The `nextCursor` of the previous page.'),
});

/**
 * `GET /v1/jobs`: jobs page by page, newest first. A page is short, or even empty, when its jobs are large or few jobs
 * pass the filters. Only a null `nextCursor` marks the last page.
 */
export function listJobs({ database, notifierUrl }: { database: Database; notifierUrl: string }): RequestHandler {
  const fewAtOnce = createFewAtOnce(MOST_READS);

  return async (request, response) => {
    const parsed = listQuery.safeParse(request.query);
    if (!parsed.success) throw invalidParameters(parsed.error);
    const { cursor, ...filter } = parsed.data;
    const page = await fewAtOnce(async () =>
      response.destroyed ? null : database.jobs.list({ ...filter, beforeId: cursor }),
    );
    if (!page) return; // the client has left
    const { jobs, next } = page;
    sendJson(response.set('Cache-Control', 'private, no-cache'), {
      jobs: jobs.map((job) => withLinks(job, notifierUrl)),
      nextCursor: next === null ? null : encodeCursor(next),
    });
  };
}
