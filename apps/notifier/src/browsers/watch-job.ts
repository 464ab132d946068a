import { isFinished, jobId, oncePerJob } from '@offload/jobs';
import { DatabaseUnavailableError, type JobStore } from '@offload/database';
import { invalidParameters, Problem } from '@offload/http';
import { budgetOf } from '@offload/http/bodies';
import type { Request, RequestHandler } from 'express';
import { z } from 'zod';
import { frame } from './frame.ts';
import type { Hub } from './hub.ts';
import { createJobWatcher } from './job-watcher.ts';

const parameters = z.object({ id: jobId });

/**
 * Answers `GET /v1/jobs/{id}/events` with the current job, then with each event until the final one.
 *
 * A browser reconnects only after a 200 (https://html.spec.whatwg.org/#sse-processing-model). So while
 * the database is away or too many bytes are in flight, it gets 200 and an immediate end. Where no event will follow,
 * 404 and 204 keep it from reconnecting.
 */
export function watchJob(parts: {
  database: { jobs: Pick<JobStore, 'get'> };
  hub: Hub;
  notifierUrl: string;
}): RequestHandler {
  const { database, hub, notifierUrl } = parts;
  const snapshot = oncePerJob((job) => frame(`job.${job.status}`, job, notifierUrl));

  return async (request, response) => {
    const parsed = parameters.safeParse(request.params);
    if (!parsed.success) throw invalidParameters(parsed.error);
    const { id } = parsed.data;

    const watcher = createJobWatcher();
    const unwatch = hub.watchJob(id, watcher); // first, so that no event is lost between the read and the watch
    try {
      const job = await database.jobs.get(id);
      if (!job) throw new Problem(404, 'job-not-found', 'Job not found', `There is no job ${id}`);
      const claimed = versionSeen(request.get('last-event-id'));
      if (isFinished(job.status) && claimed >= job.version) {
        unwatch();
        return void response.status(204).end();
      }
      if (response.destroyed) return unwatch(); // the client has left during the read
      const event = snapshot(job);
      // Counted for each watcher, unlike an event, which all share. A client that has seen this version does not get
      // it.
      if (job.version > claimed) budgetOf(response).written(response, event.length);
      const stream = hub.streams.open(response, unwatch);
      if (hub.closed) return stream.sendAway(); // the notifier has begun to stop
      watcher.begin(stream, job, event, claimed);
    } catch (error) {
      unwatch();
      if (!(willPass(error) && isBrowser(request))) throw error;
      if (response.destroyed) return; // the client has left
      hub.streams.open(response, () => undefined).sendAway();
    }
  };
}

/** Whether the same request may succeed soon: the database is away, or too many bytes are in flight. */
function willPass(error: unknown): boolean {
  return error instanceof DatabaseUnavailableError || (error instanceof Problem && error.status === 503);
}

/** Whether the client is an EventSource. Other clients get a problem. */
function isBrowser(request: Request): boolean {
  return request.get('accept')?.includes('text/event-stream') ?? false;
}

/** The version in `Last-Event-ID`, or 0 when there is none. */
function versionSeen(lastEventId: string | undefined): number {
  return lastEventId !== undefined && /^\d{1,9}$/.test(lastEventId) ? Number(lastEventId) : 0;
}
