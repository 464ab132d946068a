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
/** A sample takes the longer the more jobs wait; the rest after it is so many times as long, ... */
const REST = 10;
/** ... but no longer than this, in milliseconds: it may have taken long because the database was away. */
const LONGEST_REST_MS = 5_000;
/** The drain rate is an average over about so long ... */
const MEMORY_MS = 30_000;
/** ... or over as long as it took so many jobs to go, in a queue of slow ones. */
const FEW = 5;

/** What waits in each queue, and how fast it drains. */
export interface Backlog extends Loop {
  /** How many jobs were queued at the last sample, and those that this process has accepted since or is storing. */
  waiting(queue: string): number;
  /** The same without those accepted since: none, where workers take jobs as they come. */
  waitingAtLastSample(queue: string): number;
  /** How many jobs leave the queue in a second while some wait; null when that is not known, or not any more. */
  drainPerSecond(queue: string): number | null;
  /** What is ahead of a queued job, as of the last sample and the drain rate. */
  place(job: Pick<Job, 'id' | 'queue' | 'priority'>): Place;
  /** What was in each queue at the last sample. */
  counts(): QueueCount[];
  /** How long so many jobs take to leave the queue, in milliseconds; null when that is not known, or none leave. */
  estimateMs(queue: string, ahead: number): number | null;
  /** The database's time, in milliseconds since 1970: what is due is due by its clock, not by ours. */
  databaseNow(): number;
  /** So many more are queued. */
  accepted(queue: string, count: number): void;
  /** A place for a job that is being stored. @returns to be called when it is: whether it is queued now */
  reserve(queue: string): (isQueued: boolean) => void;
}

/** About where a job stands in its queue. */
export interface Place {
  /** {@link MOST_AHEAD} at most. */
  ahead: number;
  /** So many are ahead of it for certain that they need not be counted. */
  isFar: boolean;
  /** Where the levels of its queue begin; undefined where that is not known, or the job is older. */
  from: { high: string; normal: string } | undefined;
}

export interface BacklogParts {
  database: { queues: Pick<QueueStats, 'sample' | 'countStarted'> };
  queues: readonly string[];
  /** How long to rest between samples, in milliseconds; ten times as long as one takes, at least. @default 1_000 */
  everyMs?: number;
  metrics: Registry;
  log: Logger;
  /** A clock that only goes forward, in milliseconds. @default performance.now */
  now?: () => number;
}

interface Known {
  waiting: number;
  accepted: number;
  /** Not stored yet, so that no sample can have them. */
  reserved: number;
  /** Jobs that went, and how long that took while others waited: both fade. */
  gone: number;
  observedMs: number;
  /** How long nothing has waited. */
  idleMs: number;
}

/** Samples the queues again and again: of the jobs that waited before, those that don't wait any more are gone. */
export function startBacklog(parts: BacklogParts): Backlog {
  const { database, queues, everyMs = EVERY_MS, metrics, log, now = () => performance.now() } = parts;
  const nothing = (): Known => ({ waiting: 0, accepted: 0, reserved: 0, gone: 0, observedMs: 0, idleMs: 0 });
  const known = new Map(queues.map((queue) => [queue, nothing()]));
  let sampled = new Map<string, QueueSample>();
  let started: Awaited<ReturnType<QueueStats['countStarted']>> = [];
  let last: { at: number; tookPlace: number } | null = null;
  /** Milliseconds from `now` to the database's time; by our own clock until the first sample. */
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
      // Those of meanwhile may not be in the sample.
      one.accepted = Math.max(0, one.accepted - (acceptedBefore.get(sample.queue) ?? 0));
    }
    last = { at, tookPlace: began };
    toDatabaseMs = at * 1_000 - began; // the statement may take long, and tells when it began
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

/** @param left how many have left the queue since the sample */
function placeIn({ high, normal }: QueueSample, { id, priority }: Pick<Job, 'id' | 'priority'>, left: number): Place {
  const [level, before] = priority >= HIGH_PRIORITY ? [high, 0] : [normal, high.waiting];
  const older = level.marks.filter((mark) => mark <= id.toLowerCase()).length;
  // Between the last mark that is older than the job, and the next one.
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

/** Before every other id. */
const OLDEST = '00000000-0000-0000-0000-000000000000';

function rateOf({ gone, observedMs }: Known): number | null {
  return observedMs > 0 ? (gone * 1_000) / observedMs : null;
}

function learn(known: Known, { remaining }: QueueSample, elapsedMs: number): void {
  if (elapsedMs <= 0) return;
  if (known.waiting === 0) {
    // What was measured then was another kind of work, perhaps.
    known.idleMs += elapsedMs;
    if (known.idleMs > MEMORY_MS) known.gone = known.observedMs = 0;
    return;
  }
  known.idleMs = 0;
  const gone = Math.max(0, known.waiting - remaining); // fewer than 0 when jobs were given back
  // A queue that was emptied could have drained faster: that tells of no less than the rate, and of no more.
  const emptied = remaining === 0;
  if (emptied && (gone * 1_000) / elapsedMs <= (rateOf(known) ?? 0)) return;

  const fading = Math.exp(-elapsedMs / MEMORY_MS);
  let kept = known.gone * fading + gone < FEW ? 1 : fading;
  // After a long time in which nothing went, what goes now counts more than that.
  if (gone >= FEW) kept = Math.min(kept, MEMORY_MS / known.observedMs);
  known.gone = known.gone * kept + gone;
  known.observedMs = known.observedMs * kept + elapsedMs;
}
