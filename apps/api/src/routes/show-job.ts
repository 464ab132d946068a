import type { Job } from '@offload/jobs';
import { MARK_EVERY, MOST_AHEAD, type Database } from '@offload/database';
import type { RequestHandler } from 'express';
import { createInTime } from '../answers/in-time.ts';
import type { Waiters } from '../waiting/waiters.ts';
import { holdAsPreferred } from '../waiting/hold.ts';
import { jobIdOf, jobNotFound } from '../answers/job-of-path.ts';
import { nullWhileAway } from '../waiting/null-while-away.ts';
import { checkPreconditions } from '../answers/preconditions.ts';
import { sendJob, type Estimate, type SendParts } from '../answers/send-job.ts';

export interface ShowParts extends SendParts {
  database: Database;
  waiters: Waiters;
}

/** `GET /v1/jobs/{id}`: the job. With `Prefer: wait` the api answers when the job is finished. */
export function showJob(parts: ShowParts): RequestHandler {
  const { database, backlog } = parts;
  const inTime = createInTime();

  /**
   * The estimates of a queued job, counted unless counting takes long. Empty while they are not known: the job is shown
   * without them.
   */
  async function estimate(job: Job): Promise<Estimate> {
    const { ahead: about, isFar, from } = backlog.place(job);
    const count = () => nullWhileAway(database.queues.countAhead(from ? { jobId: job.id, from } : { jobId: job.id }));
    const isShort = backlog.waiting(job.queue) <= MARK_EVERY;
    const ahead = isFar ? MOST_AHEAD : isShort ? await count() : await inTime(count, () => about);
    return ahead === null ? {} : { position: ahead + 1, etaMs: backlog.estimateMs(job.queue, ahead) };
  }

  return async (request, response) => {
    const id = jobIdOf(request);
    const hold = holdAsPreferred(request, response, parts);
    try {
      hold.watch(id);
      const job = await hold.until(id);
      if (!job) throw jobNotFound(id);
      const known = job.status === 'queued' ? await estimate(job) : {};
      if (checkPreconditions(request, job) === 'not-modified') response.status(304);
      sendJob(response, job, parts, { estimate: known });
    } finally {
      hold.end();
    }
  };
}
