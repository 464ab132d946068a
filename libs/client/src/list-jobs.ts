import { jobsOf, jsonOf, unexpected } from './answer.ts';
import type { JobStatus } from './job.ts';
import { wholeNumber, type Settings } from './options.ts';
import { request } from './request.ts';
import type { Snapshot } from './snapshot.ts';

/** Which jobs to list; those that fit everything given. */
export interface ListOptions {
  status?: JobStatus;
  type?: string;
  queue?: string;
  tag?: string;
  /** A string gives the time in RFC 3339. */
  createdAfter?: string | Date;
  createdBefore?: string | Date;
  /** At most so many jobs. @default all */
  limit?: number;
  /** Jobs a request, 1 to 200. @default 50 */
  pageSize?: number;
  signal?: AbortSignal;
}

/** Jobs, newest first, page by page as they are needed. A job made meanwhile is not among them. */
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
