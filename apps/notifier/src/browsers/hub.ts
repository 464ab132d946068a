import { eventNameOf, withLinks, type Job, type JobEvent } from '@offload/contracts';
import { Gauge, type Registry } from '@offload/runtime';
import { frame } from './frame.ts';

/** Somebody who wants to know about jobs. */
export interface Watcher {
  /** @param text the event as it goes over the wire, printed once for all watchers */
  notify(job: Job, text: string): void;
  /** The notifier is stopping. */
  end(): void;
}

/** Hands each event to those who watch its job, and to those who watch all jobs. */
export interface Hub {
  publish(event: JobEvent): void;
  /** Whether anybody watches this job, or all: otherwise its events need not be read. */
  wants(jobId: string): boolean;
  /** @returns a function that ends the watch */
  watchJob(jobId: string, watcher: Watcher): () => void;
  /** @returns a function that ends the watch */
  watchAll(watcher: Watcher): () => void;
  /** The jobs that are being watched one by one. */
  watchedJobs(): string[];
  /** Ends every watch; who comes later is to be sent away. */
  close(): void;
  readonly closed: boolean;
}

export function createHub(metrics: Registry, notifierUrl: string): Hub {
  const byJob = new Map<string, Set<Watcher>>();
  const all = new Set<Watcher>();
  let closed = false;
  new Gauge({
    name: 'offload_watchers',
    help: 'Open event streams',
    registers: [metrics],
    collect() {
      this.set([...byJob.values()].reduce((sum, watchers) => sum + watchers.size, all.size));
    },
  });

  return {
    publish(event) {
      const job = event.data;
      const watchers = byJob.get(job.id);
      if (!watchers && all.size === 0) return;
      const ofJob = frame(eventNameOf(event), withLinks(job, notifierUrl));
      for (const watcher of [...(watchers ?? []), ...all]) watcher.notify(job, ofJob);
    },
    wants: (jobId) => all.size > 0 || byJob.has(jobId),
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
    get closed() {
      return closed;
    },
    close() {
      closed = true;
      for (const watcher of [...[...byJob.values()].flatMap((watchers) => [...watchers]), ...all]) watcher.end();
    },
  };
}
