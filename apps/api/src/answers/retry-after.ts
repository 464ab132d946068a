import type { Job } from '@offload/jobs';
import type { Backlog } from '../loops/backlog.ts';

/** Longest `Retry-After` that follows from an estimate, in seconds. */
const LONGEST_S = 300;

/**
 * Computes `Retry-After` of an unfinished job, in whole seconds (RFC 9110 section 10.2.3), at least 1. The time is not
 * before the job is due, nor before it is likely to leave its queue.
 *
 * @param ahead how many jobs of its queue come before it, if that is known. Otherwise the job counts as the last in its
 *   queue, or as the next if no job waited in the last sample.
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
 * The database's time: an estimate, but never before the times on the job's row. Samples cut their time to the
 * millisecond and rows round it. So the estimate may be a millisecond behind, and `ceil` would make a second of that.
 */
function databaseNow({ createdAt }: Job, backlog: Backlog): number {
  return Math.max(Date.parse(createdAt), backlog.databaseNow());
}

function wholeSeconds(ms: number): string {
  return String(Math.max(1, Math.ceil(ms / 1_000)));
}
