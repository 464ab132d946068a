import { setTimeout as delay } from 'node:timers/promises';
import { isFinished } from '@offload/jobs';
import { openEvents, type Site } from '@offload/running-system/requests';

/** Clients that watch one job each, and connect again as browsers do, until they have heard of its end. */
export interface Watchers {
  watch(jobId: string): void;
  /** By job id: the status that was heard of last; `nothing` before the first. */
  readonly heard: ReadonlyMap<string, string>;
  /** Gives those that have not heard of the end some more time, and closes. */
  close(patienceMs: number): Promise<void>;
}

/** As browsers wait by themselves, or less. */
const RECONNECT_MS = 300;

/** @param notifier the one that can be asked now, if any */
export function openWatchers(notifier: () => Site | undefined): Watchers {
  const heard = new Map<string, string>();
  const underWay = new Set<Promise<void>>();
  let closed = false;

  /** @returns whether the job's end was heard of before the stream ended */
  async function follow(jobId: string): Promise<boolean> {
    const site = notifier();
    if (!site) return false;
    const stream = await openEvents(`${site.url}/v1/jobs/${jobId}/events`);
    const events = await stream.until(({ job }) => {
      heard.set(jobId, job.status);
      return isFinished(job.status);
    });
    await stream.close();
    return events.some(({ job }) => isFinished(job.status));
  }

  async function watch(jobId: string): Promise<void> {
    heard.set(jobId, 'nothing');
    while (!closed) {
      const ended = await follow(jobId).catch(() => false); // the notifier is gone, or can't be asked now
      if (ended) return;
      await delay(RECONNECT_MS);
    }
  }

  return {
    heard,
    watch(jobId) {
      const watching = watch(jobId).finally(() => underWay.delete(watching));
      underWay.add(watching);
    },
    async close(patienceMs) {
      await Promise.race([Promise.all(underWay), delay(patienceMs, undefined, { ref: false })]);
      closed = true;
    },
  };
}
