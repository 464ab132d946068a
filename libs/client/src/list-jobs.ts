import { jobsOf, jsonOf, unexpected } from './answer.ts';
import type { JobStatus } from './job.ts';
import { wholeNumber, type Settings } from './options.ts';
import { request } from './request.ts';
import type { Snapshot } from './snapshot.ts';

/** Filters of a list of jobs. A job must match all of them. */
export interface ListOptions {
  status?: JobStatus;
  type?: string;
  queue?: string;
  tag?: string;
  /** A string is RFC 3339. */
  createdAfter?: string | Date;
  createdBefore?: string | Date;
  /** Most jobs to yield. @default all */
  limit?: number;
  /** Jobs in one request, 1 to 200. @default 50 */
  pageSize?: number;
  signal?: AbortSignal;
}

/** Yields jobs, newest first, and requests a page when it is needed. It omits jobs that are made meanwhile. */
export async function* listJobs(settings: Settings, options: ListOptions): AsyncGenerator<Snapshot, void, undefined> {
  const { limit = Infinity, pageSize = 50, createdAfter, createdBefore, signal, ...equal } = options;
  wholeNumber('pageSize', pageSize, 1, 200);
  if (limit !== Infinity) wholeNumber('limit', limit, 0, Number.MAX_SAFE_INTEGER);
  const filters = { ...equal, createdAfter: timeOf(createdAfter), createdBefore: timeOf(createdBefore) };
  let left = limit;
  let cursor: string | null = null;
  while (left > 0) {
    const url = new URL('v1/jobs', settings.baseUrl);
    for (const [name, value] of Object.entries(filters)) if (value !== undefined) url.searchParams.set(name, value);
    url.searchParams.set('limit', String(Math.min(left, pageSize)));
    if (cursor !== null) url.searchParams.set('cursor', cursor);

    const answer = await request(settings, { method: 'GET', url, signal, expected: [200] });
    const jobs = jobsOf(answer);
    yield* jobs.slice(0, left);
    left -= jobs.length;
    const { nextCursor } = jsonOf(answer) as { nextCursor?: unknown };
    if (nextCursor === null) return;
    if (typeof nextCursor !== 'string') throw unexpected(answer, 'no nextCursor');
    cursor = nextCursor;
  }
}

function timeOf(time: string | Date | undefined): string | undefined {
  return time instanceof Date ? time.toISOString() : time;
}
