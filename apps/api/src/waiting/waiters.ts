import { isFinished, type Job } from '@offload/jobs';
import type { JobEvent } from '@offload/jobs/events';
import type { JobStore } from '@offload/database';
import { delay, Gauge, setTimer, type Logger, type Registry } from '@offload/process';
import { Problem } from '@offload/http';

/** Jobs read at once after a time in which events may have been missed: one may be megabytes. */
const CHUNK = 10;

/** One request that waits for one job to finish. */
export interface Waiter {
  /**
   * From now on no finish of this job is missed: to be called before the job is read or created. It is the only one that
   * is waited for; another that was watched before is so no more.
   */
  watch(jobId: string): void;
  /**
   * Waits until the watched job is finished; not at all when that was heard since `watch`. A wait before it ends with null.
   *
   * @param ms for so long at most, in milliseconds; 0 or less asks only for what was heard by now
   * @param readVersion the version of the job that was read or created: events of up to that one are old, even those of
   *   a finish, since a finished job may have been retried @default any finish counts
   * @returns the finished job as its event has it, or null when the time is over, after `leave`, or when nobody may wait
   *   any more: what it would have been without waiting can be read then
   */
  wait(ms: number, readVersion?: number): Promise<Job | null>;
  /** Ends a wait, and gives the place back. To be called in any case, also when the client has gone; twice is the same. */
  leave(): void;
}

/** The requests that are held until their job is finished. */
export interface Waiters {
  /** Whether anybody waits for this job, or for any where none is named: other events need not be read. */
  wants(jobId: string | undefined): boolean;
  /** An event of any job: wakes those who wait for that one, if it is finished. */
  hear(event: JobEvent): void;
  /**
   * A place for one request.
   *
   * @param client who may have `maxWaiters` of them at once
   * @throws Problem 429 `too-many-waiters`
   */
  enter(client: string): Waiter;
  /**
   * After a time in which events may have been missed: reads each job that is waited for, and wakes those whose job is
   * finished. What can't be read is tried again while anybody waits for it. Never rejects.
   */
  refresh(): Promise<void>;
  /** Who waits gets null now, and so does who comes later. */
  close(): void;
}

export interface WaitersParts {
  database: { jobs: Pick<JobStore, 'get'> };
  /** Most requests of one client that wait at once, in this process. */
  maxWaiters: number;
  /** Pause before what could not be read is tried again, in milliseconds. @default 1_000 */
  retryMs?: number;
  metrics: Registry;
  log: Logger;
}

/** The part of a waiter that wakes it. */
interface Place {
  hear(job: Job): void;
  end(): void;
}

export function createWaiters(parts: WaitersParts): Waiters {
  const { database, maxWaiters, retryMs = 1_000, metrics, log } = parts;
  const byClient = new Map<string, Set<Place>>();
  const byJob = new Map<string, Set<Place>>();
  /** Jobs whose finish may have been missed. */
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
        if (left || watched === jobId) return; // what has left must not come back
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
      if (!failing) log.warn({ err: failed.reason as unknown }, 'jobs that are waited for not read; trying again');
      failing = true;
      await delay(retryMs, undefined, { ref: false, signal: closing.signal }).catch(() => undefined); // closed meanwhile
    }
  }

  async function readOne(id: string): Promise<void> {
    try {
      const job = await database.jobs.get(id);
      if (job) wake(job); // else it is still to be created
    } catch (error) {
      unread.add(id); // behind the others: it may be this one alone
      throw error;
    }
  }

  return {
    wants: (jobId) => (jobId === undefined ? byJob.size > 0 : byJob.has(jobId)),
    hear: ({ data: job }) => wake(job),
    enter,
    refresh() {
      // Also one that is being read just now: that answer may be of before.
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
  const detail = `You have ${maxWaiters} requests that wait; send this one later, or without "Prefer: wait".`;
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
