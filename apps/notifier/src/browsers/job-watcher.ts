import { isFinished, type Job } from '@offload/jobs';
import type { EventStream } from './event-stream.ts';
import type { JobWatcher } from './hub.ts';

/** Most events that are kept while the job is read. Older ones are dropped, because the read job is newer than most. */
const MOST_EARLY = 32;

/** A watcher of one job with its stream. */
export interface StreamedWatcher extends JobWatcher {
  /**
   * Starts the stream with the job as it was read, followed by the events that have arrived since the watch began.
   *
   * @param claimed the version that the client says it has seen. It is not sent again, but a version that is newer than
   *   the read job is an error of the client and is ignored.
   */
  begin(stream: EventStream, job: Job, event: Buffer, claimed?: number): void;
}

/**
 * Makes a watcher that shows the versions of one job in increasing order, each once, and ends after the final one.
 * Events may arrive in any order and several times. Let it receive events before the job is read, so that none is lost
 * between.
 */
export function createJobWatcher(): StreamedWatcher {
  let stream: EventStream | null = null;
  let seen = 0;
  let early: [Job, Buffer][] = [];

  function notify(job: Job, event: Buffer): void {
    if (!stream) {
      early = [...early, [job, event] satisfies [Job, Buffer]].sort(byVersion).slice(-MOST_EARLY);
    } else if (job.version > seen) {
      seen = job.version;
      stream.write(event);
      if (isFinished(job.status)) stream.end();
    }
  }

  return {
    seen: () => seen,
    notify,
    begin(opened, job, event, claimed = 0) {
      stream = opened;
      seen = Math.min(claimed, job.version);
      const known: typeof early = [[job, event], ...early];
      early = [];
      for (const [each, text] of known.sort(byVersion)) if (each.version >= job.version) notify(each, text);
    },
    end: () => stream?.end(),
    sendAway: () => stream?.sendAway(),
  };
}

function byVersion([one]: [Job, Buffer], [other]: [Job, Buffer]): number {
  return one.version - other.version;
}
