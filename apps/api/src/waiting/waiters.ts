import { isFinished, type Job } from '@offload/jobs';
import type { JobEvent } from '@offload/jobs/events';
import type { JobStore } from '@offload/database';
import { delay, Gauge, setTimer, type Logger, type Registry } from '@offload/process';
import { Problem } from '@offload/http';

/** Most jobs that are read at once after missed events: a job may have megabytes. */
const CHUNK = 10;

/** One request that waits for one job to finish. */
export interface Waiter {
  /**
   * From now on the waiter notices when this job finishes. Call it before the job is read or created. A waiter watches
   * one job: another that it has watched before is watched no longer.
   */
  watch(jobId: string): void;
  /**
   * Waits until the watched job is finished. Resolves at once if its event has arrived since `watch`. An earlier wait
   * of the same waiter ends with null.
   *
   * @param ms longest wait, in milliseconds; with 0 or less only an event that has arrived counts
   * @param readVersion the version of the job that was read or created. Events up to this version are old, even if the
   *   job was finished then: a client may have retried it. @default every event of a finished job counts
   * @returns the finished job from its event; or null when the time is over, after `leave`, or when the process stops.
   *   The caller then reads the job's present state.
   */
  wait(ms: number, readVersion?: number): Promise<Job | null>;
  /**
   * Ends a wait, and frees the place. Call it in any case, also when the client has gone; a second call does nothing.
   */
  leave(): void;
}

/** The requests that are held until their job is finished. */
export interface Waiters {
  /** Whether a request waits for this job, or for any job if no id is given: other events need not be read. */
  wants(jobId: string | undefined): boolean;
  /** Handles an event of a job: wakes the requests that wait for it, if it is finished. */
  hear(event: JobEvent): void;
  /**
   * Reserves a place for one request.
   *
   * @param client the client, which may have `maxWaiters` places at once
   * @throws Problem 429 `too-many-waiters`
   */
  enter(client: string): Waiter;
  /**
   * Reads each awaited job, and wakes the requests whose job is finished. Call it when events may have been missed.
   * Reads that fail are tried again while a request waits for the job. Never rejects.
   */
  refresh(): Promise<void>;
  /** Ends all waits with null, and all later waits too. */
  close(): void;
}

export interface WaitersParts {
  database: { jobs: Pick<JobStore, 'get'> };
  /** Most requests of one client that wait at once in this process. */
  maxWaiters: number;
  /** Pause before a failed read is tried again, in milliseconds. @default 1_000 */
  retryMs?: number;
  metrics: Registry;
  log: Logger;
}

/** A waiter's place: an event wakes it, and a stop ends it. */
interface Place {
  hear(job: Job): void;
  end(): void;
}

export function createWaiters(parts: WaitersParts): Waiters {
  const { database, maxWaiters, retryMs = 1_000, metrics, log } = parts;
  const byClient = new Map<string, Set<Place>>();
  const byJob = new Map<string, Set<Place>>();
  /** Jobs that may have finished without an event at this process. */
  const unread = new Set<string>();
  let reading: Promise<void> = Promise.resolve();
  const closing = new AbortController();
  /**
   * A rise means that clients wait longer, or that more of them use `Prefer: wait`. A client above MAX_WAITERS gets
   * 429. Look whether jobs finish more slowly than before.
   */
  new Gauge({
    name: 'offload_waiters',
    help: 'Requests that are held until their job is finished',
    registers: [metrics],
    collect() {
      this.set([...byClient.values()].reduce((sum, places) => sum + places.size, 0));
    },
  });

  function wake(job: Job): void {
    if (!isFinished(job.status)) return;
    for (const place of byJob.get(job.id) ?? []) place.hear(job);
  }

  function enter(client: string): Waiter {
    if ((byClient.get(client)?.size ?? 0) >= maxWaiters) throw tooMany(maxWaiters);
    let watched: string | null = null;
    let left = false;
    let finished: Job | null = null;
    let older = 0;
    let end: () => void = () => undefined;

    const heard = (): Job | null => (finished && finished.version > older ? finished : null);
    const place: Place = {
      hear(job) {
        if (finished && finished.version >= job.version) return;
        finished = job;
        if (heard()) end();
      },
      end: () => end(),
    };
    function unwatch(): void {
      if (watched !== null) remove(byJob, watched, place);
      watched = finished = null;
    }

    add(byClient, client, place);
    return {
      watch(jobId) {
        if (left || watched === jobId) return; // a waiter that has left must not come back
        unwatch();
        watched = jobId;
        add(byJob, jobId, place);
      },
      wait(ms, readVersion = 0) {
        end();
        older = readVersion;
        if (heard() || left || closing.signal.aborted || ms <= 0) return Promise.resolve(heard());
        return new Promise((resolve) => {
          const timer = setTimer(() => end(), ms);
          end = () => {
            end = () => undefined;
            clearTimeout(timer);
            resolve(heard());
          };
        });
      },
      leave() {
        left = true;
        unwatch();
        remove(byClient, client, place);
        end();
      },
    };
  }

  async function readAll(): Promise<void> {
    let failing = false;
    while (unread.size > 0 && !closing.signal.aborted) {
      const ids = [...unread].slice(0, CHUNK);
      for (const id of ids) unread.delete(id);
      const read = await Promise.allSettled(ids.filter((id) => byJob.has(id)).map(readOne));
      const failed = read.find((each) => each.status === 'rejected');
      if (!failed || closing.signal.aborted) continue;
      if (!failing)
        log.warn({ err: failed.reason as unknown }, 'cannot read jobs that requests wait for; trying again');
      failing = true;
      await delay(retryMs, undefined, { ref: false, signal: closing.signal }).catch(() => undefined); // closed meanwhile
    }
  }

  async function readOne(id: string): Promise<void> {
    try {
      const job = await database.jobs.get(id);
      if (job) wake(job); // otherwise the job is not created yet
    } catch (error) {
      unread.add(id); // behind the others: perhaps only this job cannot be read
      throw error;
    }
  }

  return {
    wants: (jobId) => (jobId === undefined ? byJob.size > 0 : byJob.has(jobId)),
    hear: ({ data: job }) => wake(job),
    enter,
    refresh() {
      // Also a job that is being read now: its answer may be old.
      for (const id of byJob.keys()) unread.add(id);
      reading = reading.then(readAll);
      return reading;
    },
    close() {
      closing.abort();
      for (const places of byClient.values()) for (const place of places) place.end();
    },
  };
}

function tooMany(maxWaiters: number): Problem {
  const detail = `You have ${maxWaiters} requests that wait; send this request later, or without "Prefer: wait".`;
  return new Problem(429, 'too-many-waiters', 'Too many requests wait', detail, { headers: { 'Retry-After': '1' } });
}

function add(map: Map<string, Set<Place>>, key: string, place: Place): void {
  const places = map.get(key);
  if (places) places.add(place);
  else map.set(key, new Set([place]));
}

function remove(map: Map<string, Set<Place>>, key: string, place: Place): void {
  const places = map.get(key);
  if (places?.delete(place) && places.size === 0) map.delete(key);
}
