import { isFinished, type Job } from '@offload/jobs';
import type { EventStream } from './event-stream.ts';
import type { JobWatcher } from './hub.ts';

/**
 * Most events that are kept while the job is being read; of more, the newest: what is read then is newer than most of
 * them, and shows the whole job.
 */
const MOST_EARLY = 32;

export interface StreamedWatcher extends JobWatcher {
  /**
   * What the job was when it was read, and the stream for it and all that follows, and for what came since the watch began.
   *
   * @param claimed the version that the client says it has seen; it can't be newer than what was read, unless the client
   *   errs, and that much is not shown again
   */
  begin(stream: EventStream, job: Job, event: Buffer, claimed?: number): void;
}

/**
 * Shows one job: versions only grow, whatever order they come in and however often, and the terminal one is the last.
 *
 * To be told of events before the job is read, so that nothing falls between the two.
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
