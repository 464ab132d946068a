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
 * Pages that are read at once. Each may be megabytes: more would hold the process, and the connections to the database.
 */
const MOST_READS = 2;

/** The parameters of `GET /v1/jobs`. */
export const listQuery = z.strictObject({
  status: jobStatus.optional(),
  type: plainText(255).optional(),
  queue: queueName.optional(),
  tag: plainText(64).optional().describe('Jobs that have this tag, among others.'),
  createdAfter: time.optional().describe('Jobs made later than this.'),
  createdBefore: time.optional().describe('Jobs made earlier than this.'),
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
    .describe('The `nextCursor` of the page before.'),
});

/**
 * `GET /v1/jobs`: newest first, page by page. A page ends early, or is even empty, when its jobs are large or when few
 * pass the filters: only a null `nextCursor` is the end.
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
