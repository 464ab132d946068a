import type { CreatedJob, Database, IdempotencyKey, KeyedJob, NewJob } from '@offload/database';
import { invalidMember, Problem } from '@offload/http';
import { SerializedJob } from '@offload/jobs';
import { whenWritten } from '@offload/messaging';
import { Counter, createOneATurn, type Loop, type Registry } from '@offload/process';
import type { Backlog } from '../loops/backlog.ts';
import type { Dispatcher } from '../dispatcher.ts';
import { asCreated } from './new-job.ts';
import { jobNotFound } from '../answers/job-of-path.ts';

/** The jobs of one request, as they are answered. */
export interface Taken {
  jobs: TakenJob[];
  /** By an earlier request with the same idempotency key. */
  replayed: boolean;
}

export interface TakenJob {
  serialized: SerializedJob;
  /** Otherwise it was there already, by its dedupe key, and may be brief: whole it is still to be read. */
  made: boolean;
}

/** Batches dispatch message and announce so many jobs in one turn of the event loop; a thousand take a tenth of a second. */
const TOLD_A_TURN = 100;
/** Jobs whose turn comes later than this are dispatched by the relay, which begins after two seconds, in milliseconds. */
const DISPATCH_WITHIN_MS = 1_000;

/** Takes jobs in: once they are stored they are kept; that dispatches and events have arrived is not waited for. */
export interface Intake {
  /**
   * All the jobs of a request, or none.
   *
   * @throws Problem 409 and 422 about its idempotency key, 404 when a job that it found before is deleted, 503 `queue-full`
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
  const accepted = new Counter({
    name: 'offload_jobs_accepted_total',
    help: 'Jobs that were stored',
    labelNames: ['type'],
    registers: [metrics],
  });
  /** Client and key of requests that are being stored by this process; the database keeps those of others apart. */
  const inFlight = new Set<string>();
  /** Requests that are being stored by this process. */
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
    // What was taken before is answered again, however full it is by now.
    if (full && !(idempotency && (await database.jobs.isKeyKept(idempotency.client, idempotency.key)))) throw full;
    // Their places, before others ask for them.
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
      // What is left to do for the answer takes longer than it takes a dispatch message to leave: a job can start half a millisecond sooner
      // when its dispatch message goes first. Among others, turns are shared anyway.
      if (storing === 1 && taken.some(isDispatched)) await whenWritten();
      return { jobs: taken, replayed: false };
    } finally {
      storing -= 1;
      for (const [index, giveBack] of places.entries()) giveBack(isDispatched(taken[index]));
    }
  }

  /**
   * Dispatch messages and announces a job that was made.
   *
   * @param dispatch messages otherwise its dispatch message is left to the relay
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

  /** The first answer again; jobs that were there before the first request are shown as they are now. */
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
        throw invalidMember('/jobs', `has more jobs for ${queue} than may wait: ${bound}`);
      const excess = backlog.waiting(queue) + count - bound;
      if (excess > 0) return queueFull(queue, backlog.estimateMs(queue, excess));
    }
    return null;
  }

  return { take };
}

/** Whether it was made just now and waits in its queue. */
function isDispatched(taken: TakenJob | undefined): boolean {
  return taken !== undefined && taken.made && taken.serialized.job.status === 'queued';
}

/** When nobody knows how fast a queue drains, in seconds. */
const UNKNOWN_DRAIN_S = 30;
const LONGEST_S = 3_600;

function queueFull(queue: string, roomInMs: number | null): Problem {
  const seconds = roomInMs === null ? UNKNOWN_DRAIN_S : Math.min(Math.max(1, Math.ceil(roomInMs / 1_000)), LONGEST_S);
  const detail = `As many jobs wait in ${queue} as may; there should be room in ${seconds} s.`;
  return new Problem(503, 'queue-full', 'The queue is full', detail, { headers: { 'Retry-After': String(seconds) } });
}

function keyInFlight(): Problem {
  const detail = 'A request with this Idempotency-Key is being stored just now; send this one again for its answer.';
  return new Problem(409, 'idempotency-key-in-flight', 'The first request is under way', detail, {
    headers: { 'Retry-After': '1' },
  });
}

function keyReused(): Problem {
  const detail = 'This Idempotency-Key came with another request before: a new request takes a new key.';
  return new Problem(422, 'idempotency-key-reused', 'The idempotency key was used before', detail);
}
