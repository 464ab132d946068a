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

/** `GET /v1/events`: the events of all jobs from now on, or of those that match every filter given. */
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

    if (response.destroyed) return; // the client has gone while its token was looked at
    const stream = hub.streams.open(response, () => unwatch());
    const unwatch = hub.watchAll({
      notify: (job, event) => {
        if (matches(job)) stream.write(event);
      },
      sendAway: stream.sendAway,
    });
    if (hub.closed) stream.sendAway(); // we are stopping
  };
}
