import { setTimeout as delay } from 'node:timers/promises';
import { isFinished } from '@offload/jobs';
import { openEvents, type Site } from '@offload/running-system/requests';

/** Clients that watch one job each until it is finished, and reconnect as browsers do. */
export interface Watchers {
  watch(jobId: string): void;
  /** The last received status by job id; `nothing` before the first event. */
  readonly heard: ReadonlyMap<string, string>;
  /** Waits for the final events for `patienceMs` at most, and closes all streams. */
  close(patienceMs: number): Promise<void>;
}

/** Pause before a reconnect in milliseconds, at most that of browsers. */
const RECONNECT_MS = 300;

/** Opens watchers. @param notifier returns the running notifier, if any */
export function openWatchers(notifier: () => Site | undefined): Watchers {
  const heard = new Map<string, string>();
  const underWay = new Set<Promise<void>>();
  let closed = false;

  /** @returns whether the job was finished before the stream ended */
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
      const ended = await follow(jobId).catch(() => false); // the notifier is not reachable
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
