import type { Job } from '@offload/jobs';
import { eventNameOf, type EventName, type JobEvent } from '@offload/jobs/events';
import { Gauge, type Registry } from '@offload/process';
import { createEventStreams, type EventStreams, type EventStreamsOptions } from './event-streams.ts';
import { frame } from './frame.ts';

/** A watcher of jobs. */
export interface Watcher {
  /** Shows an event. @param event the event as it is sent, serialized once for all watchers */
  notify(job: Job, event: Buffer): void;
  /** Ends the stream, because the notifier is stopping. */
  sendAway(): void;
}

/** A watcher of one job. */
export interface JobWatcher extends Watcher {
  /** The version of the job that was shown last; 0 before the first. */
  seen(): number;
  /** Ends the stream, because no event will follow. */
  end(): void;
}

/** Passes each event to the watchers of its job, and to the watchers of all jobs. */
export interface Hub {
  publish(event: JobEvent): void;
  /** Whether the job (or with undefined, any job) has a watcher. Otherwise its events need not be read. */
  wants(jobId: string | undefined): boolean;
  /** @returns a function that ends the watch */
  watchJob(jobId: string, watcher: JobWatcher): () => void;
  /** @returns a function that ends the watch */
  watchAll(watcher: Watcher): () => void;
  /** Ids of the jobs that are watched singly. */
  watchedJobs(): string[];
  /** The version of the job that all its watchers have seen; Infinity when it has none. */
  seenByAll(jobId: string): number;
  /** Shows the current job to its watchers that have seen an older version. */
  show(job: Job): void;
  /** Ends the streams of a job that does not exist any more. */
  forget(jobId: string): void;
  readonly streams: Pick<EventStreams, 'open'>;
  /** Sends all watchers away. `closed` is true then, and later watchers must be sent away too. */
  close(): void;
  readonly closed: boolean;
}

/** Makes a hub. @param notifierUrl base URL of the notifiers, for the links of jobs */
export function createHub(metrics: Registry, notifierUrl: string, options?: EventStreamsOptions): Hub {
  const byJob = new Map<string, Set<JobWatcher>>();
  const all = new Set<Watcher>();
  const streams = createEventStreams(metrics, options);
  let closed = false;
  /**
   * A rise means that more browsers watch. One notifier holds some 10,000. Add notifiers before that; `MAX_STREAMS`
   * bounds each client.
   */
  new Gauge({
    name: 'offload_watchers',
    help: 'Open event streams',
    registers: [metrics],
    collect() {
      this.set([...byJob.values()].reduce((sum, watchers) => sum + watchers.size, all.size));
    },
  });

  function tell(watchers: Iterable<Watcher>, name: EventName, job: Job): void {
    const event = frame(name, job, notifierUrl);
    for (const watcher of watchers) watcher.notify(job, event);
  }
  const watchersOf = (jobId: string): JobWatcher[] => [...(byJob.get(jobId) ?? [])];

  return {
    publish(event) {
      const watchers = [...watchersOf(event.data.id), ...all];
      if (watchers.length > 0) tell(watchers, eventNameOf(event), event.data);
    },
    wants: (jobId) => all.size > 0 || (jobId === undefined ? byJob.size > 0 : byJob.has(jobId)),
    watchJob(jobId, watcher) {
      const watchers = byJob.get(jobId) ?? new Set();
      byJob.set(jobId, watchers.add(watcher));
      return () => {
        watchers.delete(watcher);
        if (watchers.size === 0 && byJob.get(jobId) === watchers) byJob.delete(jobId);
      };
    },
    watchAll(watcher) {
      all.add(watcher);
      return () => void all.delete(watcher);
    },
    watchedJobs: () => [...byJob.keys()],
    seenByAll: (jobId) => watchersOf(jobId).reduce((least, watcher) => Math.min(least, watcher.seen()), Infinity),
    show: (job) => tell(watchersOf(job.id), `job.${job.status}`, job),
    forget(jobId) {
      for (const watcher of watchersOf(jobId)) watcher.end();
    },
    streams,
    get closed() {
      return closed;
    },
    close() {
      closed = true;
      streams.close();
      for (const watcher of [...[...byJob.values()].flatMap((watchers) => [...watchers]), ...all]) watcher.sendAway();
    },
  };
}
