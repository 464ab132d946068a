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
 * Most characters of earlier jobs that one answer shows in full. It shows further earlier jobs without payload, result
 * and errors: a thousand of them may be large, or be the same large job.
 */
const MOST_FOUND = 2 * 1024 ** 2;

/** `POST /v1/jobs/batch`: answers 202 when all jobs are committed. If one job is invalid, the api makes none. */
export function submitBatch(parts: BatchParts): RequestHandler {
  const { database, intake, types, queues, ownWebhooks, notifierUrl } = parts;

  /**
   * The jobs that the answer shows in full, by id, made or read, if it has earlier jobs. Several may be the same job.
   */
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
      if (room >= 0) room -= whole.json.length; // below 0 no further job is written in full
      return jsonWithLinks(room >= 0 ? whole : whole.brief(), notifierUrl);
    });
    const made = jobs.some((taken) => taken.made);
    sendRawJson(response.status(202), `{"jobs":[${shown.join(',')}]}`, made);
  };
}
