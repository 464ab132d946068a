import type { Database } from '@offload/database';
import type { RequestHandler } from 'express';
import type { Waiters } from '../waiters.ts';
import { holdAsPreferred } from './hold.ts';
import { jobIdOf, jobNotFound } from './job-of-path.ts';
import { nullWhileAway } from './null-while-away.ts';
import { isKnown } from './preconditions.ts';
import { sendJob, type Estimate, type SendParts } from './send-job.ts';

export interface ShowParts extends SendParts {
  database: Database;
  waiters: Waiters;
}

/** `GET /v1/jobs/{id}`: the job; when it is finished, if the request prefers to wait for that. */
export function showJob(parts: ShowParts): RequestHandler {
  const { database, backlog } = parts;

  /** Empty while it can't be told: a job is worth showing without it. */
  async function estimate(id: string, queue: string): Promise<Estimate> {
    const ahead = await nullWhileAway(database.countAhead(id));
    return ahead === null ? {} : { position: ahead + 1, etaMs: backlog.estimateMs(queue, ahead) };
  }

  return async (request, response) => {
    const id = jobIdOf(request);
    const hold = holdAsPreferred(request, response, parts);
    try {
      hold.watch(id);
      const read = await database.getJob(id);
      if (!read) throw jobNotFound(id);
      const job = await hold.until(read);
      const known = job.status === 'queued' ? await estimate(id, job.queue) : {};
      if (isKnown(request, job)) response.status(304);
      sendJob(response, job, parts, known);
    } finally {
      hold.end();
    }
  };
}
