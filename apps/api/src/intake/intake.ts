import type { CreatedJob, Database, IdempotencyKey, KeyedJob, NewJob } from '@offload/database';
import { invalidMember, Problem } from '@offload/http';
import { SerializedJob } from '@offload/jobs';
import { whenWritten } from '@offload/messaging';
import { Counter, createOneATurn, type Loop, type Registry } from '@offload/process';
import type { Backlog } from '../loops/backlog.ts';
import type { Dispatcher } from '../dispatcher.ts';
import { asCreated } from './new-job.ts';
import { jobNotFound } from '../answers/job-of-path.ts';

/** The jobs of one request, for its answer. */
export interface Taken {
  jobs: TakenJob[];
  /** Whether an earlier request with the same idempotency key has made the jobs. */
  replayed: boolean;
}

export interface TakenJob {
  serialized: SerializedJob;
  /** False if a job with the dedupe key existed before. That job may be brief: the route reads the whole job. */
  made: boolean;
}

/** A batch dispatches and publishes so many jobs in one turn of the event loop; a thousand take a tenth of a second. */
const TOLD_A_TURN = 100;
/**
 * Jobs of a batch that come later than this are left to the relay, in milliseconds; it takes them after two seconds.
 */
const DISPATCH_WITHIN_MS = 1_000;

/** Accepts jobs: stores them, and sends their dispatch messages and events without waiting for confirmations. */
export interface Intake {
  /**
   * Stores all jobs of a request, or none.
   *
   * @throws Problem 409 and 422 about the idempotency key, 404 when a job of the first answer is deleted, 503
   *   `queue-full`
   */
  take(jobs: NewJob[], idempotency: IdempotencyKey | null): Promise<Taken>;
}

export interface IntakeParts {
  database: Database;
  dispatcher: Dispatcher;
  relay: Loop;
  backlog: Backlog;
  /** Most jobs that may wait in a queue. */
  maxBacklog: (queue: string) => number;
  metrics: Registry;
}

export function createIntake({ database, dispatcher, relay, backlog, maxBacklog, metrics }: IntakeParts): Intake {
  /**
   * This is the load. Compare it with `offload_attempt_duration_seconds_count` of the workers to see whether they keep
   * up.
   */
  const accepted = new Counter({
    name: 'offload_jobs_accepted_total',
    help: 'Jobs that were stored',
    labelNames: ['type'],
    registers: [metrics],
  });
  /** Client and key of requests that this process is storing; the database detects those of other processes. */
  const inFlight = new Set<string>();
  /** The number of requests that this process is storing. */
  let storing = 0;
  const oneATurn = createOneATurn();

  async function take(jobs: NewJob[], idempotency: IdempotencyKey | null): Promise<Taken> {
    if (!idempotency) return store(jobs, null);
    const name = JSON.stringify([idempotency.client, idempotency.key]);
    if (inFlight.has(name)) throw keyInFlight();
    inFlight.add(name);
    try {
      return await store(jobs, idempotency);
    } finally {
      inFlight.delete(name);
    }
  }

  async function store(jobs: NewJob[], idempotency: IdempotencyKey | null): Promise<Taken> {
    const full = fullQueue(jobs);
    // A replay is answered even if the queue is full by now.
    if (full && !(idempotency && (await database.jobs.isKeyKept(idempotency.client, idempotency.key)))) throw full;
    // Reserve the places before another request does.
    const places = jobs.map(({ queue }) => backlog.reserve(queue));
    const taken: TakenJob[] = [];
    storing += 1;
    try {
      const submitted = await database.jobs.submit({ jobs, idempotency });
      if (submitted.kind === 'key-reused') throw keyReused();
      if (submitted.kind === 'replayed') return await replay(jobs, submitted.jobs, submitted.createdAt);
      const dispatchUntil = performance.now() + DISPATCH_WITHIN_MS;
      while (taken.length < jobs.length) {
        if (jobs.length > 1) await oneATurn.next();
        const dispatches = performance.now() < dispatchUntil;
        const some = submitted.jobs.slice(taken.length, taken.length + TOLD_A_TURN);
        taken.push(...some.map((each, index) => tell(each, jobs[taken.length + index] as NewJob, dispatches)));
      }
      // To make the answer takes longer than to send a dispatch message. A job starts half a millisecond sooner when
      // its dispatch message goes first. With other requests under way, turns are shared anyway.
      if (storing === 1 && taken.some(isDispatched)) await whenWritten();
      return { jobs: taken, replayed: false };
    } finally {
      storing -= 1;
      for (const [index, giveBack] of places.entries()) giveBack(isDispatched(taken[index]));
    }
  }

  /**
   * Sends the dispatch message and the event of a job that was made.
   *
   * @param dispatches otherwise the dispatch message is left to the relay
   */
  function tell({ serialized, outboxId }: CreatedJob, { traceparent = null }: NewJob, dispatches: boolean): TakenJob {
    if (outboxId === null) return { serialized, made: false };
    const { id: jobId, type, queue, priority, status } = serialized.job;
    accepted.inc({ type });
    if (status === 'scheduled') relay.wake();
    else if (dispatches) dispatcher.dispatchSoon({ outboxId, jobId, type, queue, priority, traceparent });
    void dispatcher.publishEvent(serialized);
    return { serialized, made: true };
  }

  /** The first answer again. Jobs that existed before the first request have their present state. */
  async function replay(wanted: NewJob[], first: KeyedJob[], createdAt: string): Promise<Taken> {
    const jobs = await Promise.all(
      first.map(async ({ id, made }, index): Promise<TakenJob> => {
        const job = made ? asCreated(wanted[index] as NewJob, id, createdAt) : await database.jobs.getBrief(id);
        if (!job) throw jobNotFound(id);
        return { serialized: new SerializedJob(job), made };
      }),
    );
    return { jobs, replayed: true };
  }

  function fullQueue(jobs: NewJob[]): Problem | null {
    for (const queue of new Set(jobs.map((job) => job.queue))) {
      const count = jobs.filter((job) => job.queue === queue).length;
      const bound = maxBacklog(queue);
      if (count > bound && count > 1)
        throw invalidMember('/jobs', `has more jobs for ${queue} than MAX_BACKLOG allows: ${bound}`);
      const excess = backlog.waiting(queue) + count - bound;
      if (excess > 0) return queueFull(queue, backlog.estimateMs(queue, excess));
    }
    return null;
  }

  return { take };
}

/** Whether this request has made the job, and the job is queued. */
function isDispatched(taken: TakenJob | undefined): boolean {
  return taken !== undefined && taken.made && taken.serialized.job.status === 'queued';
}

/** `Retry-After` while the drain rate of a queue is not known, in seconds. */
const UNKNOWN_DRAIN_S = 30;
const LONGEST_S = 3_600;

function queueFull(queue: string, roomInMs: number | null): Problem {
  const seconds = roomInMs === null ? UNKNOWN_DRAIN_S : Math.min(Math.max(1, Math.ceil(roomInMs / 1_000)), LONGEST_S);
  const detail = `As many jobs wait in ${queue} as MAX_BACKLOG allows; there should be room in ${seconds} s.`;
  return new Problem(503, 'queue-full', 'The queue is full', detail, { headers: { 'Retry-After': String(seconds) } });
}

function keyInFlight(): Problem {
  const detail =
    'The api is storing another request with this Idempotency-Key; send this request again for its answer.';
  return new Problem(409, 'idempotency-key-in-flight', 'The first request is under way', detail, {
    headers: { 'Retry-After': '1' },
  });
}

function keyReused(): Problem {
  const detail = 'Another request had this Idempotency-Key: use a new key for a new request.';
  return new Problem(422, 'idempotency-key-reused', 'The idempotency key was used before', detail);
}
