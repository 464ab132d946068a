import type { Database } from '@offload/database';
import { sendRawJson } from '@offload/http/bodies';
import { SerializedJob } from '@offload/jobs';
import { jsonWithLinks } from '@offload/jobs/answers';
import type { RequestHandler } from 'express';
import type { Backlog } from '../loops/backlog.ts';
import type { Intake, TakenJob } from '../intake/intake.ts';
import { learnTypes, newJobs } from '../intake/new-job.ts';
import { traceparent } from '../intake/traceparent.ts';
import type { JobTypes } from '../job-types/job-types.ts';
import { idempotencyOf } from '../intake/idempotency-of.ts';
import { nullWhileAway } from '../waiting/null-while-away.ts';

export interface BatchParts {
  database: Database;
  intake: Intake;
  backlog: Backlog;
  types: JobTypes;
  queues: readonly string[];
  ownWebhooks?: boolean | undefined;
  notifierUrl: string;
}

/**
 * Jobs that were there before are shown whole up to so many characters in one answer. Those that come after are shown
 * without payload, result and errors: a thousand of them may be large, or the same large one.
 */
const MOST_FOUND = 2 * 1024 ** 2;

/** `POST /v1/jobs/batch`: 202 when all the jobs are committed; where one is at fault none is made. */
export function submitBatch(parts: BatchParts): RequestHandler {
  const { database, intake, types, queues, ownWebhooks, notifierUrl } = parts;

  /** Where jobs were there before: as many as are shown whole, by their ids, made or read. Several may be the same. */
  async function readFound(taken: TakenJob[]): Promise<Map<string, SerializedJob>> {
    const whole = new Map<string, SerializedJob>();
    if (taken.every(({ made }) => made)) return whole;
    for (const { serialized, made } of taken) if (made) whole.set(serialized.job.id, serialized);
    const ids = taken.map(({ serialized }) => serialized.job.id).filter((id) => !whole.has(id));
    const read = ids.length === 0 ? [] : await nullWhileAway(database.jobs.getFirst(ids));
    for (const job of read ?? []) if (job && !whole.has(job.id)) whole.set(job.id, new SerializedJob(job));
    return whole;
  }

  return async (request, response) => {
    await learnTypes(request.body, types);
    const circumstances = { types, queues, ownWebhooks, traceparent: traceparent(request.get('traceparent')) };
    const wanted = newJobs(request.body, circumstances);
    const { jobs, replayed } = await intake.take(wanted, idempotencyOf(request, response));
    if (replayed) response.set('Idempotency-Replayed', 'true');
    const found = await readFound(jobs);
    let room = MOST_FOUND;
    const shown = jobs.map(({ serialized, made }) => {
      if (made) return jsonWithLinks(serialized, notifierUrl);
      const whole = found.get(serialized.job.id) ?? serialized;
      if (room >= 0) room -= whole.json.length; // below 0 no job is written whole in vain
      return jsonWithLinks(room >= 0 ? whole : whole.brief(), notifierUrl);
    });
    const made = jobs.some((taken) => taken.made);
    sendRawJson(response.status(202), `{"jobs":[${shown.join(',')}]}`, made);
  };
}
