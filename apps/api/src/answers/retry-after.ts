import type { Job } from '@offload/jobs';
import type { Backlog } from '../loops/backlog.ts';

/** Nobody is sent away for longer by an estimate. */
const LONGEST_S = 300;

/**
 * `Retry-After` of an unfinished job, in whole seconds (RFC 9110 section 10.2.3), at least 1: not before it is due, nor
 * before its queue is likely to have come to it.
 *
 * @param ahead how many jobs of its queue come before it, if that is known. Otherwise it is taken for the last one, unless
 *   none waited a moment ago: then workers take jobs as they come.
 */
export function retryAfter(
  job: Job,
  backlog: Backlog,
  ahead = backlog.waitingAtLastSample(job.queue) === 0 ? 0 : backlog.waiting(job.queue) - 1,
): string {
  if (job.status === 'scheduled') return wholeSeconds(Date.parse(job.dueAt) - databaseNow(job, backlog));
  const ms = job.status === 'queued' ? backlog.estimateMs(job.queue, Math.max(0, ahead)) : 0;
  return wholeSeconds(Math.min(ms ?? 0, LONGEST_S * 1_000));
}

/**
 * The database's time: an estimate, but never before the time that the database wrote into the job. Samples cut their time
 * to the millisecond and rows round it, so the estimate can be a millisecond behind, and `ceil` makes a second of that.
 */
function databaseNow({ createdAt }: Job, backlog: Backlog): number {
  return Math.max(Date.parse(createdAt), backlog.databaseNow());
}

function wholeSeconds(ms: number): string {
  return String(Math.max(1, Math.ceil(ms / 1_000)));
}
