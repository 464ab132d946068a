import { withLinks } from '@offload/contracts';
import type { Database } from '@offload/database';
import { Counter, Problem, type Registry } from '@offload/runtime';
import type { RequestHandler } from 'express';
import type { Bell } from '../bell.ts';
import { newJob } from '../new-job.ts';
import type { Loop } from '../loop.ts';
import { retryAfter } from './retry-after.ts';

export interface SubmitParts {
  database: Database;
  bell: Bell;
  relay: Loop;
  metrics: Registry;
  queues: readonly string[];
  notifierUrl: string;
}

/** `POST /v1/jobs`: 202 as soon as job and owed ring are committed; the ring itself goes out behind the answer. */
export function submitJob({ database, bell, relay, metrics, queues, notifierUrl }: SubmitParts): RequestHandler {
  const accepted = new Counter({
    name: 'offload_jobs_accepted_total',
    help: 'Jobs answered with 202',
    labelNames: ['type'],
    registers: [metrics],
  });

  return async (request, response) => {
    if (!request.is('application/json')) {
      const detail = 'send the job as application/json';
      throw new Problem(415, 'unsupported-media-type', 'The media type is not supported', detail, {
        headers: { Accept: 'application/json' },
      });
    }
    const { job, outboxId } = await database.createJob(newJob(request.body, queues));
    accepted.inc({ type: job.type });
    response
      .status(202)
      .location(`/v1/jobs/${job.id}`)
      .set('Retry-After', retryAfter(job))
      .json(withLinks(job, notifierUrl));

    void bell.announce(job);
    if (job.status === 'scheduled') relay.wake();
    else void bell.ring({ outboxId, jobId: job.id, type: job.type, queue: job.queue, priority: job.priority });
  };
}
