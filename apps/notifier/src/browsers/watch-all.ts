import { jobStatus, plainText, queueName, type Job } from '@offload/jobs';
import { invalidParameters } from '@offload/http';
import type { RequestHandler } from 'express';
import { z } from 'zod';
import type { Hub } from './hub.ts';

const query = z.strictObject({
  type: plainText(255).optional(),
  queue: queueName.optional(),
  status: jobStatus.optional(),
  tag: plainText(64).optional(),
});

/** Answers `GET /v1/events` with the events of all jobs from now on, or of jobs that match every given filter. */
export function watchAll({ hub }: { hub: Hub }): RequestHandler {
  return (request, response) => {
    const parsed = query.safeParse(request.query);
    if (!parsed.success) throw invalidParameters(parsed.error);
    const { type, queue, status, tag } = parsed.data;

    const matches = (job: Job): boolean =>
      (type === undefined || job.type === type) &&
      (queue === undefined || job.queue === queue) &&
      (status === undefined || job.status === status) &&
      (tag === undefined || job.tags.includes(tag));

    if (response.destroyed) return; // the client has left while its token was verified
    const stream = hub.streams.open(response, () => unwatch());
    const unwatch = hub.watchAll({
      notify: (job, event) => {
        if (matches(job)) stream.write(event);
      },
      sendAway: stream.sendAway,
    });
    if (hub.closed) stream.sendAway(); // the notifier is stopping
  };
}
