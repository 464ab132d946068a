import { jobStatus, withLinks } from '@offload/contracts';
import type { Database } from '@offload/database';
import { invalidParameters } from '@offload/runtime';
import type { RequestHandler } from 'express';
import { z } from 'zod';
import { decodeCursor, encodeCursor } from '../cursor.ts';

const query = z.strictObject({
  status: jobStatus.optional(),
  limit: z
    .string()
    .regex(/^\d{1,3}$/, 'must be a whole number from 1 to 200')
    .transform(Number)
    .pipe(z.int().min(1).max(200))
    .default(50),
  cursor: z
    .string()
    .transform((text, context) => {
      const id = decodeCursor(text);
      if (id === null) context.addIssue('must be the nextCursor of an earlier answer');
      return id ?? z.NEVER;
    })
    .optional(),
});

/** `GET /v1/jobs`: newest first, page by page; a page of large jobs may be shorter than `limit`. */
export function listJobs({ database, notifierUrl }: { database: Database; notifierUrl: string }): RequestHandler {
  return async (request, response) => {
    const parsed = query.safeParse(request.query);
    if (!parsed.success) throw invalidParameters(parsed.error);
    const { status, limit, cursor } = parsed.data;
    const { jobs, more } = await database.listJobs({ status, beforeId: cursor, limit });
    const last = jobs.at(-1);
    response.json({
      jobs: jobs.map((job) => withLinks(job, notifierUrl)),
      nextCursor: last && more ? encodeCursor(last.id) : null,
    });
  };
}
