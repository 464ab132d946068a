import type { Job } from '@offload/jobs';
import {
  HIGH_PRIORITY,
  MARK_EVERY,
  MOST_AHEAD,
  type QueueCount,
  type QueueSample,
  type QueueStats,
} from '@offload/database';
import { Gauge, startLoop, type Logger, type Loop, type Registry } from '@offload/process';

const EVERY_MS = 1_000;
/** After a sample the loop rests for so many times its duration: samples take longer when more jobs wait. */
const REST = 10;
/** Longest rest, in milliseconds: a sample may have taken long because the database was away. */
const LONGEST_REST_MS = 5_000;
/** The drain rate is an average over about this time. */
const MEMORY_MS = 30_000;
/** With slow jobs, the drain rate is an average over the time in which so many jobs left the queue. */
const FEW = 5;

/** The number of waiting jobs in each queue, and its drain rate. */
export interface Backlog extends Loop {
  /** The number of queued jobs at the last sample, plus those that this process has accepted since or is storing. */
  waiting(queue: string): number;
  /** The number of queued jobs at the last sample: 0 if workers claim jobs at once. */
  waitingAtLastSample(queue: string): number;
  /** How many jobs leave the queue in a second while others wait; null while the rate is not known. */
  drainPerSecond(queue: string): number | null;
  /** The jobs ahead of a queued job, from the last sample and the drain rate. */
  place(job: Pick<Job, 'id' | 'queue' | 'priority'>): Place;
  /** The counts of each queue at the last sample. */
  counts(): QueueCount[];
  /** How long so many jobs take to leave the queue, in milliseconds; null if the rate is not known, or is 0. */
  estimateMs(queue: string, ahead: number): number | null;
  /** The database's time, in milliseconds since 1970: its clock decides which jobs are due. */
  databaseNow(): number;
  /** Adds so many queued jobs to the count. */
  accepted(queue: string, count: number): void;
  /**
   * Reserves a place for a job that is being stored.
   *
   * @returns a function to call when it is stored: is it queued now?
   */
  reserve(queue: string): (isQueued: boolean) => void;
}

/** The approximate place of a job in its queue. */
export interface Place {
  /** {@link MOST_AHEAD} at most. */
  ahead: number;
  /** Whether certainly so many jobs are ahead that they need not be counted. */
  isFar: boolean;
  /** Where the priority levels of its queue begin; undefined if this is not known, or the job is older. */
  from: { high: string; normal: string } | undefined;
}

export interface BacklogParts {
  database: { queues: Pick<QueueStats, 'sample' | 'countStarted'> };
  queues: readonly string[];
  /** Rest between samples, in milliseconds; at least ten times the duration of a sample. @default 1_000 */
  everyMs?: number;
  metrics: Registry;
  log: Logger;
  /** A clock that only goes forward, in milliseconds. @default performance.now */
  now?: () => number;
}

interface Known {
  waiting: number;
  accepted: number;
  /** The number of jobs that are being stored: no sample has them yet. */
  reserved: number;
  /** Jobs that left the queue, and the time they took while others waited. Older values count less. */
  gone: number;
  observedMs: number;
  /** How long the queue has been empty. */
  idleMs: number;
}

/** Samples the queues at intervals. Jobs of the sample before that no longer wait have left the queue. */
export function startBacklog(parts: BacklogParts): Backlog {
  const { database, queues, everyMs = EVERY_MS, metrics, log, now = () => performance.now() } = parts;
  const nothing = (): Known => ({ waiting: 0, accepted: 0, reserved: 0, gone: 0, observedMs: 0, idleMs: 0 });
  const known = new Map(queues.map((queue) => [queue, nothing()]));
  let sampled = new Map<string, QueueSample>();
  let started: Awaited<ReturnType<QueueStats['countStarted']>> = [];
  let last: { at: number; tookPlace: number } | null = null;
  /** Milliseconds from `now` to the database's time; from this process's clock until the first sample. */
  let toDatabaseMs = Date.now() - now();

  async function round(): Promise<number> {
    const began = now();
    const acceptedBefore = new Map([...known].map(([queue, { accepted }]) => [queue, accepted]));
    const { queues: samples, at } = await database.queues.sample(queues, last?.at ?? null);
    started = await database.queues.countStarted();
    sampled = new Map(samples.map((sample) => [sample.queue, sample]));
    for (const sample of samples) {
      const one = known.get(sample.queue);
      if (!one) continue;
      if (last) learn(one, sample, began - last.tookPlace);
      one.waiting = sample.waiting;
      // The sample may lack jobs that were accepted while it ran.
      one.accepted = Math.max(0, one.accepted - (acceptedBefore.get(sample.queue) ?? 0));
    }
    last = { at, tookPlace: began };
    toDatabaseMs = at * 1_000 - began; // the statement may take long, and returns the time when it began
    return Math.max(everyMs, Math.min(REST * (now() - began), LONGEST_REST_MS));
  }

  const waiting = (queue: string): number => {
    const { waiting, accepted, reserved } = known.get(queue) ?? nothing();
    return waiting + accepted + reserved;
  };
  const drainPerSecond = (queue: string): number | null => {
    const perSecond = rateOf(known.get(queue) ?? nothing());
    return perSecond === null ? null : Number(perSecond.toPrecision(3));
  };

  /**
   * A steady rise means that more jobs arrive than the workers finish. Add workers for the queue, or find out why they
   * are slow. At MAX_BACKLOG the api answers 503.
   */
  new Gauge({
    name: 'offload_queue_waiting',
    help: 'Queued jobs, as of the last sample',
    labelNames: ['queue'],
    registers: [metrics],
    collect() {
      for (const queue of queues) this.set({ queue }, waiting(queue));
    },
  });
  /**
   * A fall while jobs wait means that workers are gone, slow or blocked. Compare `GET /v1/workers` and
   * `offload_jobs_running`.
   */
  new Gauge({
    name: 'offload_queue_drain_per_second',
    help: 'Jobs that leave the queue in a second while some wait; absent while that is not known',
    labelNames: ['queue'],
    registers: [metrics],
    collect() {
      for (const queue of queues) {
        const perSecond = drainPerSecond(queue);
        if (perSecond !== null) this.set({ queue }, perSecond);
      }
    },
  });

  function accept(queue: string, count: number): void {
    const one = known.get(queue);
    if (one) one.accepted += count;
  }

  return {
    ...startLoop({ name: 'backlog', round, retryMs: everyMs, log }),
    waiting,
    waitingAtLastSample: (queue) => known.get(queue)?.waiting ?? 0,
    drainPerSecond,
    place(job) {
      const sample = sampled.get(job.queue);
      if (!sample) return { ahead: 0, isFar: false, from: undefined };
      const left = ((drainPerSecond(job.queue) ?? 0) * (now() - (last?.tookPlace ?? 0))) / 1_000;
      return placeIn(sample, job, left);
    },
    counts() {
      const none = { running: 0, scheduled: 0 };
      const waiting = [...sampled.values()].map(({ queue, waiting: ready, oldestWaitingMs }) => {
        return { ...none, ...started.find((one) => one.queue === queue), queue, ready, oldestWaitingMs };
      });
      const others = started.filter(({ queue }) => !sampled.has(queue));
      return [...waiting, ...others.map((one) => ({ ...one, ready: 0, oldestWaitingMs: null }))];
    },
    estimateMs(queue, ahead) {
      if (ahead <= 0) return 0;
      const perSecond = rateOf(known.get(queue) ?? nothing());
      return perSecond ? Math.round((ahead / perSecond) * 1_000) : null;
    },
    databaseNow: () => now() + toDatabaseMs,
    accepted: accept,
    reserve(queue) {
      const one = known.get(queue) ?? nothing();
      one.reserved += 1;
      return (isQueued) => {
        one.reserved -= 1;
        if (isQueued) accept(queue, 1);
      };
    },
  };
}

/** @param left how many jobs have left the queue since the sample */
function placeIn({ high, normal }: QueueSample, { id, priority }: Pick<Job, 'id' | 'priority'>, left: number): Place {
  const [level, before] = priority >= HIGH_PRIORITY ? [high, 0] : [normal, high.waiting];
  const older = level.marks.filter((mark) => mark <= id.toLowerCase()).length;
  // The job is between the last mark that is older than it, and the next mark.
  const least = Math.max(0, older - 1) * MARK_EVERY;
  const most = older < level.marks.length ? older * MARK_EVERY : level.waiting;
  const ahead = Math.round(before + (least + Math.max(least, most)) / 2 - left);
  const [first, firstHigh = OLDEST] = [level.marks[0], high.marks[0]];
  return {
    ahead: Math.min(Math.max(0, ahead), MOST_AHEAD),
    isFar: before + least - left >= MOST_AHEAD,
    from: first !== undefined && older > 0 ? { high: firstHigh, normal: normal.marks[0] ?? OLDEST } : undefined,
  };
}

/** An id that sorts before every other id. */
const OLDEST = '00000000-0000-0000-0000-000000000000';

function rateOf({ gone, observedMs }: Known): number | null {
  return observedMs > 0 ? (gone * 1_000) / observedMs : null;
}

function learn(known: Known, { remaining }: QueueSample, elapsedMs: number): void {
  if (elapsedMs <= 0) return;
  if (known.waiting === 0) {
    // The old rate may be of another kind of work.
    known.idleMs += elapsedMs;
    if (known.idleMs > MEMORY_MS) known.gone = known.observedMs = 0;
    return;
  }
  known.idleMs = 0;
  const gone = Math.max(0, known.waiting - remaining); // fewer than 0 when jobs were given back
  // A queue that ran empty could have drained faster: its figure is a lower bound of the rate.
  const emptied = remaining === 0;
  if (emptied && (gone * 1_000) / elapsedMs <= (rateOf(known) ?? 0)) return;

  const fading = Math.exp(-elapsedMs / MEMORY_MS);
  let kept = known.gone * fading + gone < FEW ? 1 : fading;
  // After a long time in which no job left, the jobs that leave now count more.
  if (gone >= FEW) kept = Math.min(kept, MEMORY_MS / known.observedMs);
  known.gone = known.gone * kept + gone;
  known.observedMs = known.observedMs * kept + elapsedMs;
}
