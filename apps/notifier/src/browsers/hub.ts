import type { Job } from '@offload/jobs';
import { eventNameOf, type EventName, type JobEvent } from '@offload/jobs/events';
import { Gauge, type Registry } from '@offload/process';
import { createEventStreams, type EventStreams, type EventStreamsOptions } from './event-streams.ts';
import { frame } from './frame.ts';

/** Somebody who wants to know about jobs. */
export interface Watcher {
  /** @param event as it goes over the wire, serialized once for all watchers */
  notify(job: Job, event: Buffer): void;
  /** The notifier is stopping. */
  sendAway(): void;
}

/** Somebody who wants to know about one job. */
export interface JobWatcher extends Watcher {
  /** The version of the job that it has been shown; 0 before it was shown any. */
  seen(): number;
  /** There is nothing more to come. */
  end(): void;
}

/** Hands each event to those who watch its job, and to those who watch all jobs. */
export interface Hub {
  publish(event: JobEvent): void;
  /** Whether anybody watches this job (any, where none is named), or all: otherwise its events need not be read. */
  wants(jobId: string | undefined): boolean;
  /** @returns a function that ends the watch */
  watchJob(jobId: string, watcher: JobWatcher): () => void;
  /** @returns a function that ends the watch */
  watchAll(watcher: Watcher): () => void;
  /** The jobs that are being watched one by one. */
  watchedJobs(): string[];
  /** The version of this job that all who watch it have been shown; Infinity when nobody does. */
  seenByAll(jobId: string): number;
  /** Shows a job as it is to those who watch it and have seen less. */
  show(job: Job): void;
  /** There is no such job any more: ends the streams of those who watch it. */
  forget(jobId: string): void;
  readonly streams: Pick<EventStreams, 'open'>;
  /** Sends everybody away; who comes later is to be sent away, too. */
  close(): void;
  readonly closed: boolean;
}

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
