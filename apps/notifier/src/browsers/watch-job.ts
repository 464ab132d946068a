import { isFinished, jobId, withLinks, type Job } from '@offload/contracts';
import type { Database } from '@offload/database';
import { invalidParameters, Problem } from '@offload/runtime';
import type { RequestHandler } from 'express';
import { z } from 'zod';
import { openEventStream, type EventStream } from './event-stream.ts';
import { frame } from './frame.ts';
import type { Hub } from './hub.ts';

const parameters = z.object({ id: jobId });

/**
 * `GET /v1/jobs/{id}/events`: the job as it is now, then each event, until the terminal one.
 *
 * Watches first and reads then, so that nothing falls between the two; versions sort out what came twice.
 */
export function watchJob(parts: { database: Database; hub: Hub; notifierUrl: string }): RequestHandler {
  const { database, hub, notifierUrl } = parts;

  return async (request, response) => {
    const parsed = parameters.safeParse(request.params);
    if (!parsed.success) throw invalidParameters(parsed.error);
    const { id } = parsed.data;

    let stream: EventStream | null = null;
    let seen = versionSeen(request.get('last-event-id'));
    const early: [Job, string][] = [];

    function notify(job: Job, text: string): void {
      if (!stream) return void early.push([job, text]);
      if (job.version <= seen) return;
      seen = job.version;
      stream.write(text);
      if (isFinished(job.status)) stream.end();
    }
    const unwatch = hub.watchJob(id, { notify, end: () => stream?.sendAway() });

    try {
      const job = await database.getJob(id);
      if (!job) throw new Problem(404, 'job-not-found', 'Job not found', `There is no job ${id}`);
      // What a client claims to have seen can't be newer than the row, unless it was not ours to begin with.
      seen = Math.min(seen, job.version);
      // There is nothing more to come: 204 keeps a browser from connecting again and again.
      if (isFinished(job.status) && job.version <= seen) {
        unwatch();
        return void response.status(204).end();
      }
      if (response.destroyed) return unwatch(); // the client has gone while we were reading
      stream = openEventStream(response, unwatch);
      if (hub.closed) return stream.sendAway(); // we are stopping since
      notify(job, frame(`job.${job.status}`, withLinks(job, notifierUrl)));
      for (const [earlyJob, text] of early) notify(earlyJob, text);
    } catch (error) {
      unwatch();
      throw error;
    }
  };
}

/** The version in `Last-Event-ID`, or 0 when there is none. */
function versionSeen(lastEventId: string | undefined): number {
  return lastEventId !== undefined && /^\d{1,9}$/.test(lastEventId) ? Number(lastEventId) : 0;
}
