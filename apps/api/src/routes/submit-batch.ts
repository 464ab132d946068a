import type { Database } from '@offload/database';
import { sendPrinted } from '@offload/http/bodies';
import { type Job, oncePerJob, printJob, printWithLinks } from '@offload/jobs';
import type { RequestHandler } from 'express';
import type { Backlog } from '../loops/backlog.ts';
import type { Intake, TakenJob } from '../intake/intake.ts';
import { newJobs } from '../intake/new-job.ts';
import { traceparent } from '../intake/traceparent.ts';
import { idempotencyOf } from '../intake/idempotency-of.ts';
import { nullWhileAway } from '../waiting/null-while-away.ts';
import { briefOf } from '../answers/send-job.ts';

export interface BatchParts {
  database: Database;
  intake: Intake;
  backlog: Backlog;
  queues: readonly string[];
  ownWebhooks?: boolean | undefined;
  notifierUrl: string;
}

/**
 * Jobs that were there before are shown whole up to so many characters in one answer. Those that come after are shown
 * without payload, result and errors: a thousand of them may be large, or the same large one.
 */
const MOST_FOUND = 2 * 1024 ** 2;

/** Jobs of one dedupe key are the same job. */
const printedOnce = oncePerJob((job) => printJob(job));
const printedBrief = oncePerJob((job) => printJob(briefOf(job)));

/** `POST /v1/jobs/batch`: 202 when all the jobs are committed; where one is at fault none is made. */
export function submitBatch(parts: BatchParts): RequestHandler {
  const { database, intake, queues, ownWebhooks, notifierUrl } = parts;

  /** As many of the jobs that were found as are shown whole, by their ids. */
  async function readFound(taken: TakenJob[]): Promise<Map<string, Job>> {
    const ids = taken.filter(({ isBrief }) => isBrief).map(({ job }) => job.id);
    const read = ids.length === 0 ? [] : await nullWhileAway(database.jobs.getFirst(ids));
    return new Map((read ?? []).flatMap((job) => (job ? [[job.id, job]] : [])));
  }

  return async (request, response) => {
    const circumstances = { queues, ownWebhooks, traceparent: traceparent(request.get('traceparent')) };
    const wanted = newJobs(request.body, circumstances);
    const { jobs, replayed } = await intake.take(wanted, idempotencyOf(request, response));
    if (replayed) response.set('Idempotency-Replayed', 'true');
    const found = await readFound(jobs);
    let room = MOST_FOUND;
    const printed = jobs.map(({ job: taken, made, printed }) => {
      const job = found.get(taken.id) ?? taken;
      if (made) return printWithLinks(job.id, printed ?? printedOnce(job), notifierUrl);
      if (room >= 0) room -= printedOnce(job).length; // below 0 no job is printed whole in vain
      return printWithLinks(job.id, room >= 0 ? printedOnce(job) : printedBrief(job), notifierUrl);
    });
    const made = jobs.some((taken) => taken.made);
    sendPrinted(response.status(202), `{"jobs":[${printed.join(',')}]}`, made);
  };
}
