import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  type Database,
  DatabaseUnavailableError,
  type Delivery,
  type HeldJob,
  migrate,
  type NewJob,
  openDatabase,
  type JobStore,
  type Outcome,
} from '@offload/database';
import type { Control } from '@offload/job-messages';
import { defineJob, type EventName, type Job } from '@offload/jobs';
import { BrokerUnavailableError } from '@offload/messaging';
import type { Outbound } from '@offload/outbound';
import { createLogger, createMetrics } from '@offload/process';
import { eventually, freshDatabaseUrl } from '@offload/testing';
import { z } from 'zod';
import { RetryAfterError, type HandlerContext } from './handler.ts';
import { createHeldJobs } from './held-jobs.ts';
import { createJobMetrics } from './job-metrics.ts';
import { obey } from './obey.ts';
import { runJob, type RunJobParts } from './run-job.ts';
import { createSlots, type Slots } from './slots.ts';
import { gatedThreads } from './spec-gate.ts';

const definition = defineJob({
  type: 'spec.job',
  description: 'Does what the spec says.',
  payload: z.unknown(),
  result: z.unknown(),
});

let database: Database;
let announced: { event: EventName | undefined; job: Job }[];
let brokerFaults: Error[];
let handler: (payload: unknown, context: HandlerContext) => Promise<unknown>;
let slots: Slots | undefined;
/** What a worker logged, level and line. */
let logged: [string, Record<string, unknown>][];

beforeAll(async () => {
  const url = freshDatabaseUrl();
  await migrate(url);
  database = openDatabase({ url });
});

afterAll(() => database.close());

beforeEach(() => {
  announced = [];
  brokerFaults = [];
  handler = async () => 'done';
  slots = undefined;
  logged = [];
});

/** The database with other calls in place of some about jobs. */
function withJobs(calls: Partial<JobStore>): Database {
  return { ...database, jobs: { ...database.jobs, ...calls } };
}

/** A worker without a broker: deliveries are made by hand, so that each order of events can be had. */
function worker(onDatabase: Database = database) {
  const stopping = new AbortController();
  setMaxListeners(0, stopping.signal); // as in main.ts
  const letGo = new AbortController();
  const log = createLogger('spec', { level: 'silent', instance: 'spec' });
  for (const level of ['info', 'warn', 'error'] as const) {
    log[level] = (line: object) => void logged.push([level, line as Record<string, unknown>]);
  }
  const parts: RunJobParts = {
    database: onDatabase,
    async announce({ job }, event) {
      const fault = brokerFaults.shift();
      if (fault) throw fault;
      announced.push({ event, job });
    },
    holder: 'spec',
    heldJobs: createHeldJobs(letGo.signal),
    findHandler: (type) =>
      type === definition.type
        ? { definition, handler: (payload, context) => handler(payload, context), slots }
        : undefined,
    outbound: {} as Outbound,
    metrics: createJobMetrics(createMetrics()),
    log,
    stopping: stopping.signal,
  };
  return {
    run: (message: Parameters<typeof runJob>[0]) => runJob(message, parts),
    told: (control: Control) => obey(control, parts),
    stop: () => stopping.abort(new Error('the worker is stopping')),
    letGo: () => letGo.abort(new Error('the worker is stopping')),
  };
}

async function queuedJob(more: Partial<NewJob> = {}): Promise<Job> {
  const { maxAttempts, timeoutMs, backoff } = definition.policy;
  const { job } = await database.jobs.create({
    id: randomUUID(),
    type: definition.type,
    queue: 'default',
    priority: 0,
    tags: [],
    payload: { n: 1 },
    maxAttempts,
    timeoutMs,
    backoff,
    delayMs: 0,
    runAt: null,
    ...more,
  });
  return job;
}

let handedOut = 0;

function delivery(job: { id: string; type: string }, more: { ringId?: string; redelivered?: boolean } = {}) {
  const lost = new AbortController();
  const { ringId = randomUUID(), redelivered = false } = more;
  const deliveryCount = redelivered ? (handedOut += 1) : 0;
  const body = { jobId: job.id, type: job.type };
  return { lost, ringId, message: { body, messageId: ringId, redelivered, deliveryCount, signal: lost.signal } };
}

const statuses = (): string[] => announced.map(({ event, job }) => event ?? `job.${job.status}`);

describe('a delivery', () => {
  it('is claimed, run, settled, announced and acknowledged, in this order', async () => {
    const job = await queuedJob();
    handler = async (payload, { jobId, attempt, idempotencyKey }) => ({ payload, jobId, attempt, idempotencyKey });
    expect(await worker().run(delivery(job).message)).toBe('ack');
    const stored = await database.jobs.get(job.id);
    expect(stored).toMatchObject({
      status: 'succeeded',
      result: { payload: { n: 1 }, jobId: job.id, attempt: 1, idempotencyKey: `offload-${job.id}` },
      attempt: 1,
      version: 3,
    });
    expect(statuses()).toEqual(['job.running', 'job.succeeded']);
    expect(announced.map(({ job: { version } }) => version)).toEqual([2, 3]);
  });

  it('tells the progress of its handler with growing versions', async () => {
    const job = await queuedJob();
    handler = async (_payload, { progress }) => void progress(40, '4 of 10 s');
    await worker().run(delivery(job).message);
    expect(statuses()).toEqual(['job.running', 'job.progress', 'job.succeeded']);
    expect(announced[1]?.job).toMatchObject({ progress: { percent: 40, message: '4 of 10 s' }, payload: undefined });
    expect(announced[2]?.job).toMatchObject({ progress: { percent: 100, message: '4 of 10 s' }, payload: { n: 1 } });
    expect(announced.map(({ job: { version } }) => version)).toEqual([2, 3, 4]);
  });

  it('tells few of many calls, the last one among them, and none with the payload', async () => {
    const job = await queuedJob({ payload: { n: 'x'.repeat(150_000) } });
    handler = async (_payload, { progress }) => {
      for (let call = 1; call <= 3_000; call += 1) progress(call / 30, `${call} of 3000`);
    };
    await worker().run(delivery(job).message);
    const told = announced.filter(({ event }) => event === 'job.progress');
    expect(told.map(({ job: { progress } }) => progress?.message)).toEqual(['1 of 3000', '3000 of 3000']);
    expect(JSON.stringify(told).length).toBeLessThan(2_000);
  });

  it('that is a duplicate of a running or finished job is acknowledged and changes nothing', async () => {
    const job = await queuedJob();
    let finish: () => void = () => undefined;
    const running = new Promise<void>((started) => {
      handler = () =>
        new Promise((resolve) => {
          finish = () => resolve('first');
          started();
        });
    });
    const first = worker().run(delivery(job).message);
    await running;
    expect(await worker().run(delivery(job).message)).toBe('ack');
    expect(await worker().run(delivery(job, { redelivered: true }).message)).toBe('ack');
    finish();
    await first;
    expect(await worker().run(delivery(job).message)).toBe('ack');
    expect(await database.jobs.get(job.id)).toMatchObject({ status: 'succeeded', result: 'first', attempt: 1 });
    expect(statuses()).toEqual(['job.running', 'job.succeeded']);
  });

  it('of an unknown job is acknowledged', async () => {
    expect(await worker().run(delivery({ id: randomUUID(), type: definition.type }).message)).toBe('ack');
    expect(announced).toEqual([]);
  });

  it('of a type this worker does not know leaves the job to another, without using up an attempt', async () => {
    const job = await queuedJob({ type: 'spec.newer', maxAttempts: 1 });
    expect(await worker().run(delivery(job).message)).toBe('ack');
    expect(await database.jobs.get(job.id)).toMatchObject({ status: 'scheduled', maxAttempts: 2, errors: [] });
  });

  it('that comes again after its job ended announces the end again: the worker before may not have', async () => {
    const job = await queuedJob();
    const { ringId, message } = delivery(job);
    await worker().run(message);
    announced = [];
    expect(await worker().run(delivery(job, { ringId, redelivered: true }).message)).toBe('ack');
    expect(statuses()).toEqual(['job.succeeded']);
  });
});

describe('a failing handler', () => {
  it('is retried with every error kept until the attempts are used up', async () => {
    const job = await queuedJob({ maxAttempts: 2, backoff: { baseMs: 0, factor: 1, maxMs: 0 } });
    handler = async (_payload, { attempt }) => {
      throw new Error(`no luck ${attempt}`);
    };
    expect(await worker().run(delivery(job).message)).toBe('ack');
    expect(await database.jobs.get(job.id)).toMatchObject({ status: 'scheduled', error: null, attempt: 1 });
    expect(await database.rings.msUntilNext()).not.toBeNull(); // the retry's ring is owed

    await eventually(async () => {
      await worker().run(delivery(job).message);
      expect((await database.jobs.get(job.id))?.status).toBe('failed');
    });
    expect(await database.jobs.get(job.id)).toMatchObject({
      error: { code: 'handler-error', message: 'no luck 2', attempt: 2 },
      errors: [{ message: 'no luck 1', attempt: 1 }],
    });
  });

  it('is logged with its stack and cause: a warning while it is tried again, then an error', async () => {
    const job = await queuedJob({ maxAttempts: 2, backoff: { baseMs: 0, factor: 1, maxMs: 0 } });
    handler = async () => {
      throw new Error('no luck', { cause: new Error('a black cat') });
    };
    const stack = expect.stringMatching(/^Error: no luck\n +at [^]*\nCaused by: Error: a black cat\n +at /);
    const error = { code: 'handler-error', message: 'no luck', stack };
    await worker().run(delivery(job).message);
    expect(logged.at(-1)).toEqual(['warn', expect.objectContaining({ error: { ...error, attempt: 1 } })]);
    await eventually(async () => {
      await worker().run(delivery(job).message);
      expect((await database.jobs.get(job.id))?.status).toBe('failed');
    });
    const levels = logged.filter(([level]) => level !== 'info').map(([level]) => level);
    expect(levels).toEqual(['warn', 'error']);
    const ended = await database.jobs.get(job.id);
    expect(ended?.error).toMatchObject({ ...error, attempt: 2 });
    expect(ended?.errors).toEqual([expect.objectContaining({ ...error, attempt: 1 })]);
  });

  it('is not run again before its retry is due, whatever rings', async () => {
    const job = await queuedJob();
    handler = async () => {
      throw new RetryAfterError('later', 60_000);
    };
    await worker().run(delivery(job).message);
    const scheduled = await database.jobs.get(job.id);
    expect(await worker().run(delivery(job).message)).toBe('ack');
    expect(await database.jobs.get(job.id)).toEqual(scheduled);
  });
});

describe('a lost worker', () => {
  it('is replaced on redelivery, and its late result is refused', async () => {
    const job = await queuedJob();
    const first = delivery(job);
    let finishFirst: () => void = () => undefined;
    const firstRuns = new Promise<void>((started) => {
      handler = () =>
        new Promise((resolve) => {
          finishFirst = () => resolve('of the first');
          started();
        });
    });
    const zombie = worker().run(first.message); // frozen, say: it does not see that its channel is gone
    await firstRuns;

    handler = async () => 'of the second';
    const again = delivery(job, { ringId: first.ringId, redelivered: true });
    expect(await worker().run(again.message)).toBe('ack');
    finishFirst();
    expect(await zombie).toBe('requeue'); // never ack what was fenced: it might be the last ring
    expect(await database.jobs.get(job.id)).toMatchObject({
      status: 'succeeded',
      result: 'of the second',
      attempt: 2,
      errors: [{ code: 'worker-lost', attempt: 1 }],
    });
    expect(statuses().filter((event) => event === 'job.succeeded')).toHaveLength(1);
  });

  it('that claims late, after its channel was lost and another has the job, leaves that one alone', async () => {
    const job = await queuedJob({ maxAttempts: 1 });
    const ringId = randomUUID();
    let claimLate: () => void = () => undefined;
    const late = new Promise<void>((resolve) => (claimLate = resolve));
    const slow = withJobs({ claim: (claim: Delivery) => late.then(() => database.jobs.claim(claim)) });
    const first = delivery(job, { ringId, redelivered: true });
    const firstRun = worker(slow).run(first.message);
    first.lost.abort(new Error('channel lost'));

    let finish: () => void = () => undefined;
    const secondRuns = new Promise<void>((started) => {
      handler = () =>
        new Promise((resolve) => {
          finish = () => resolve('of the second');
          started();
        });
    });
    const secondRun = worker().run(delivery(job, { ringId, redelivered: true }).message);
    await secondRuns;
    claimLate();
    expect(await firstRun).toBe('later');
    finish();
    expect(await secondRun).toBe('ack');
    expect(await database.jobs.get(job.id)).toMatchObject({ status: 'succeeded', result: 'of the second', attempt: 1 });
  });

  it('whose job has no attempts left fails it as worker-lost', async () => {
    const job = await queuedJob({ maxAttempts: 1 });
    const { ringId } = delivery(job);
    await database.jobs.claim({
      jobId: job.id,
      ringId,
      redelivered: false,
      deliveryCount: 0,
      claimId: randomUUID(),
      holder: 'killed',
    }); // and then it was killed
    expect(await worker().run(delivery(job, { ringId, redelivered: true }).message)).toBe('ack');
    expect(await database.jobs.get(job.id)).toMatchObject({
      status: 'failed',
      error: { code: 'worker-lost' },
      attempt: 1,
    });
    expect(statuses()).toEqual(['job.failed']);
  });

  it('that only lost its channel aborts the handler and gives the job back unused', async () => {
    const job = await queuedJob({ maxAttempts: 1 });
    const { lost, message } = delivery(job);
    handler = (_payload, { signal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason));
        lost.abort(new Error('channel lost'));
      });
    await worker().run(message);
    expect(await database.jobs.get(job.id)).toMatchObject({ status: 'queued', attempt: 1, maxAttempts: 2, errors: [] });
  });
});

describe('a job that is cancelled', () => {
  /** A worker whose handler runs and waits for its signal. */
  async function runningJob() {
    const job = await queuedJob();
    const runner = worker();
    const { message, lost } = delivery(job);
    let verdict: Promise<unknown> | undefined;
    await new Promise<void>((started) => {
      handler = (_payload, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason));
          started();
        });
      verdict = runner.run(message);
    });
    return { job, runner, verdict, lost };
  }

  it('ends as such, is announced and acknowledged', async () => {
    const { job, runner, verdict } = await runningJob();
    await database.jobs.cancel(job.id);
    await runner.told({ command: 'cancel', jobId: job.id });
    expect(await verdict).toBe('ack');
    expect(await database.jobs.get(job.id)).toMatchObject({
      status: 'cancelled',
      attempt: 1,
      error: null,
      result: null,
    });
    expect(statuses()).toEqual(['job.running', 'job.cancelled']);
  });

  it('leaves the other jobs of its worker alone, and other workers too', async () => {
    const { job, runner, verdict } = await runningJob();
    await runner.told({ command: 'cancel', jobId: randomUUID() });
    await worker().told({ command: 'cancel', jobId: job.id });
    runner.letGo(); // it ran until here
    expect(await verdict).toBe('requeue');
    expect(await database.jobs.get(job.id)).toMatchObject({ status: 'queued' });
  });

  it('is found at the next roll call when its worker missed the command', async () => {
    const { job, runner, verdict } = await runningJob();
    await database.jobs.cancel(job.id);
    await runner.told({ command: 'roll-call' });
    expect(await verdict).toBe('ack');
    expect(await database.jobs.get(job.id)).toMatchObject({ status: 'cancelled' });
  });

  it('is acknowledged too when its worker gave it back without knowing', async () => {
    const { job, lost, verdict } = await runningJob();
    await database.jobs.cancel(job.id);
    lost.abort(new Error('channel lost'));
    expect(await verdict).toBe('ack');
    expect(await database.jobs.get(job.id)).toMatchObject({ status: 'cancelled' });
  });

  it('while its claim is on the way is not begun', async () => {
    const job = await queuedJob();
    let ran = false;
    handler = async () => void (ran = true);
    const runner = worker(
      withJobs({
        async claim(claim) {
          const claimed = await database.jobs.claim(claim);
          await database.jobs.cancel(job.id);
          await runner.told({ command: 'cancel', jobId: job.id });
          return claimed;
        },
      }),
    );
    expect(await runner.run(delivery(job).message)).toBe('ack');
    expect(ran).toBe(false);
    expect(await database.jobs.get(job.id)).toMatchObject({ status: 'cancelled', attempt: 1 });
  });
});

describe('a roll call', () => {
  it('is answered for the jobs that run here, and not for those that are done', async () => {
    const held: HeldJob[][] = [];
    const listening = withJobs({
      hold: async (jobs: HeldJob[]) => {
        held.push(jobs);
        return [];
      },
    });
    const runner = worker(listening);
    const job = await queuedJob();
    handler = () => runner.told({ command: 'roll-call' });
    await runner.run(delivery(job).message);
    await runner.told({ command: 'roll-call' });
    expect(held).toEqual([[{ jobId: job.id, attempt: 1 }]]);
  });

  it("that can not be answered is nobody's fault", async () => {
    const away = withJobs({ hold: () => Promise.reject(new DatabaseUnavailableError()) });
    const runner = worker(away);
    const job = await queuedJob();
    handler = () => runner.told({ command: 'roll-call' });
    expect(await runner.run(delivery(job).message)).toBe('ack');
    expect(await database.jobs.get(job.id)).toMatchObject({ status: 'succeeded' });
  });
});

describe('stopping', () => {
  it('gives a ring back at once that could not be claimed, the database being away', async () => {
    const job = await queuedJob();
    const runner = worker(
      withJobs({
        async claim() {
          runner.stop();
          throw new DatabaseUnavailableError();
        },
      }),
    );
    expect(await runner.run(delivery(job).message)).toBe('requeue');
    expect(await database.jobs.get(job.id)).toMatchObject({ status: 'queued', attempt: 0 });
  });

  it('gives back the jobs that are let go, without using up their attempt', async () => {
    const job = await queuedJob({ maxAttempts: 1 });
    const runner = worker();
    const running = new Promise<void>((started) => {
      handler = (_payload, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason));
          started();
        });
    });
    const verdict = runner.run(delivery(job).message);
    await running;
    runner.letGo();
    expect(await verdict).toBe('requeue');
    expect(await database.jobs.get(job.id)).toMatchObject({
      status: 'queued',
      maxAttempts: 2,
      error: null,
      errors: [],
    });
  });
});

describe('while database or broker are away', () => {
  /** The database as seen over a line that breaks after the named call's first commit. */
  function unheard(call: 'claim' | 'settle'): Database {
    let broken = true;
    const original = database.jobs[call] as (argument: unknown) => Promise<unknown>;
    const once = async (argument: unknown): Promise<unknown> => {
      const answer = await original(argument);
      if (!broken) return answer;
      broken = false;
      throw new DatabaseUnavailableError();
    };
    return withJobs({ [call]: once });
  }

  it('a claim whose answer was lost goes on as the attempt it is', async () => {
    const job = await queuedJob();
    expect(await worker(unheard('claim')).run(delivery(job).message)).toBe('ack');
    expect(await database.jobs.get(job.id)).toMatchObject({ status: 'succeeded', attempt: 1, errors: [] });
  });

  /** The database as it is when it refuses data like these: see `libs/database/src/unavailable.ts`. */
  function refusing(refused: (outcome: Outcome) => boolean): Database {
    const refusal = Object.assign(new Error('violates check constraint "spec"'), { code: '23514', severity: 'ERROR' });
    return withJobs({
      settle: async (settlement) => {
        if (refused(settlement.outcome)) throw refusal;
        return database.jobs.settle(settlement);
      },
    });
  }

  it('an outcome that the database refuses fails its job, with the reason', async () => {
    const job = await queuedJob();
    const refusesResults = refusing(({ status }) => status === 'succeeded');
    expect(await worker(refusesResults).run(delivery(job).message)).toBe('ack');
    const message = 'the outcome cannot be stored: violates check constraint "spec"';
    expect(await database.jobs.get(job.id)).toMatchObject({
      status: 'failed',
      attempt: 1,
      error: { code: 'outcome-not-stored', message, attempt: 1 },
      errors: [],
    });
    expect(statuses()).toEqual(['job.running', 'job.failed']);
  });

  it('so does an error that it refuses, which would have been retried', async () => {
    const job = await queuedJob({ maxAttempts: 2 });
    handler = () => Promise.reject(new Error('no luck'));
    const refusesErrors = refusing((outcome) => 'error' in outcome && outcome.error?.code === 'handler-error');
    expect(await worker(refusesErrors).run(delivery(job).message)).toBe('ack');
    expect(await database.jobs.get(job.id)).toMatchObject({ status: 'failed', error: { code: 'outcome-not-stored' } });
  });

  it('an outcome whose answer was lost is still announced', async () => {
    const job = await queuedJob();
    expect(await worker(unheard('settle')).run(delivery(job).message)).toBe('ack');
    expect(statuses()).toEqual(['job.running', 'job.succeeded']);
  });

  it('a repeated outcome that is fenced does not acknowledge the ring', async () => {
    const job = await queuedJob();
    const { ringId, message } = delivery(job);
    const takenOver = withJobs({
      async settle(settlement) {
        if (settlement.attempt === 1) {
          const again = delivery(job, { ringId, redelivered: true }).message;
          const claim = { jobId: job.id, ringId, redelivered: true, deliveryCount: again.deliveryCount };
          await database.jobs.claim({ ...claim, claimId: randomUUID(), holder: 'spec' });
          takenOver.jobs.settle = database.jobs.settle;
        }
        throw new DatabaseUnavailableError();
      },
    });
    expect(await worker(takenOver).run(message)).toBe('requeue');
    expect(await database.jobs.get(job.id)).toMatchObject({ status: 'running', attempt: 2 });
    expect(statuses()).toEqual(['job.running']);
  });

  it('the ring is not acknowledged before the broker has the last event', async () => {
    const job = await queuedJob();
    handler = async () => {
      await new Promise(setImmediate); // the first event goes out when a handler has begun
      brokerFaults = [new BrokerUnavailableError('away'), new BrokerUnavailableError('away')];
    };
    expect(await worker().run(delivery(job).message)).toBe('ack');
    expect(brokerFaults).toEqual([]);
    expect(statuses()).toEqual(['job.running', 'job.succeeded']);
  });
});

describe('a job whose handler may run only so many times at once', () => {
  const queuedJobs = (count: number) => Promise.all(Array.from({ length: count }, () => queuedJob({ maxAttempts: 1 })));
  const read = (jobs: Job[]) => Promise.all(jobs.map(async ({ id }) => (await database.jobs.get(id)) as Job));

  /** One job that runs until it is told to end, and so has the only slot. */
  async function busyWorker(onDatabase?: Database) {
    slots = createSlots(1);
    const runner = worker(onDatabase);
    let end: () => void = () => undefined;
    const [job] = (await queuedJobs(1)) as [Job];
    let verdict: Promise<unknown> = Promise.resolve();
    await new Promise<void>((started) => {
      handler = () =>
        new Promise((resolve) => {
          end = () => resolve('done');
          started();
        });
      verdict = runner.run(delivery(job).message);
    });
    handler = async () => 'done';
    return { ...runner, end: () => (end(), verdict) };
  }

  it('is claimed only when it can run, in as many as there are slots', async () => {
    slots = createSlots(2);
    const jobs = await queuedJobs(8);
    const unended = new Set<string>(); // from the claim to the end of the run: outcomes may have to wait
    let most = 0;
    handler = async (_payload, { jobId }) => void unended.delete(jobId);
    const runner = worker(
      withJobs({
        claim(claim) {
          unended.add(claim.jobId);
          most = Math.max(most, unended.size);
          return database.jobs.claim(claim);
        },
      }),
    );
    await Promise.all(
      jobs.map(async (job) => {
        for (let redelivered = false; ; redelivered = true) {
          if ((await runner.run(delivery(job, { redelivered }).message)) !== 'requeue') return;
        }
      }),
    );
    expect(most).toBe(2);
    for (const job of await read(jobs)) expect(job).toMatchObject({ status: 'succeeded', attempt: 1, errors: [] });
  });

  it('goes back unclaimed when no slot is free for a while, since another worker may have one', async () => {
    const { run, end } = await busyWorker();
    const job = await queuedJob();
    expect(await run(delivery(job).message)).toBe('requeue');
    expect(await database.jobs.get(job.id)).toEqual(job);
    await end();
    expect(await run(delivery(job, { redelivered: true }).message)).toBe('ack');
  });

  it('goes back at once when the worker stops, or its delivery is lost', async () => {
    const { run, stop, end } = await busyWorker();
    const jobs = await queuedJobs(2);
    const [lost, kept] = jobs.map((job) => delivery(job)) as [ReturnType<typeof delivery>, ReturnType<typeof delivery>];
    const verdicts = [run(lost.message), run(kept.message)];
    lost.lost.abort(new Error('channel lost'));
    expect(await verdicts[0]).toBe('requeue');
    stop();
    expect(await verdicts[1]).toBe('requeue');
    expect(await read(jobs)).toEqual(jobs);
    await end();
  });

  it('takes no slot when it was cancelled while it waited', async () => {
    const { run, end } = await busyWorker();
    const jobs = await queuedJobs(2);
    const verdicts = jobs.map((job) => run({ ...delivery(job).message, deliveryCount: 9 })); // waits for minutes
    await database.jobs.cancel((jobs[0] as Job).id);
    await end();
    expect(await Promise.all(verdicts)).toEqual(['ack', 'ack']);
    expect((await read(jobs)).map(({ status }) => status)).toEqual(['cancelled', 'succeeded']);
  });

  it('keeps no job of another type waiting', async () => {
    const { run, end } = await busyWorker();
    const other = await queuedJob({ type: 'spec.newer' });
    expect(await run(delivery(other).message)).toBe('ack');
    expect(await database.jobs.get(other.id)).toMatchObject({ status: 'scheduled' }); // claimed: it is unknown here
    await end();
  });

  it('is spoken for at a roll call while it waits: its ring is not lost', async () => {
    const held: HeldJob[][] = [];
    const { run, told, end } = await busyWorker(withJobs({ hold: async (jobs) => (held.push(jobs), []) }));
    const job = await queuedJob();
    const verdict = run({ ...delivery(job).message, deliveryCount: 9 });
    await told({ command: 'roll-call' });
    expect(held).toEqual([[expect.objectContaining({ attempt: 1 }), { jobId: job.id, attempt: null }]]);
    await end();
    expect(await verdict).toBe('ack');
  });

  describe('in threads that are started on demand', () => {
    let threads: ReturnType<typeof gatedThreads>;
    beforeEach(() => {
      threads = gatedThreads();
      slots = createSlots(2, threads.hold);
    });
    afterEach(() => threads.close());

    it('is queued while its thread starts: its time has not begun', async () => {
      handler = (_payload, { signal }) => threads.run('this', signal);
      const jobs = await queuedJobs(16);
      const runner = worker();
      // Each waits for minutes.
      const verdicts = jobs.map((job) => runner.run({ ...delivery(job).message, deliveryCount: 9 }));
      await eventually(() => expect(threads.come()).toBe(2));
      expect(await read(jobs)).toEqual(jobs);
      threads.open();
      expect(new Set(await Promise.all(verdicts))).toEqual(new Set(['ack']));
      for (const job of await read(jobs)) {
        expect(job).toMatchObject({ status: 'succeeded', attempt: 1, result: 'answer to this' });
      }
      expect(threads.come()).toBe(2);
    });

    it.each([
      ['timed out', 'timeout'],
      ['died', 'handler-error'],
    ])('is queued while the thread of one that %s is replaced', async (_title, code) => {
      slots = createSlots(1, threads.hold);
      threads.open();
      handler = (_payload, { signal }) => {
        threads.shut(); // for the threads that come after the one that runs it
        handler = (_next, context) => threads.run('this', context.signal);
        return threads.run(code === 'timeout' ? 'hang' : 'die', signal);
      };
      const first = await queuedJob({ maxAttempts: 1, timeoutMs: code === 'timeout' ? 50 : 60_000 });
      const next = await queuedJob({ maxAttempts: 1 });
      const runner = worker();
      const verdicts = [first, next].map((job) => runner.run({ ...delivery(job).message, deliveryCount: 9 }));
      expect(await verdicts[0]).toBe('ack');
      await eventually(() => expect(threads.come()).toBe(2));
      expect(await read([first, next])).toEqual([
        expect.objectContaining({ status: 'failed', error: expect.objectContaining({ code }) }),
        next,
      ]);
      threads.open();
      expect(await verdicts[1]).toBe('ack');
      expect(await read([next])).toMatchObject([{ status: 'succeeded', attempt: 1, errors: [] }]);
    });

    it('goes back at once when the worker stops while its thread starts', async () => {
      const job = await queuedJob();
      const { run, stop } = worker();
      const verdict = run(delivery(job).message);
      await eventually(() => expect(threads.come()).toBe(1));
      stop();
      expect(await verdict).toBe('requeue');
      expect(await database.jobs.get(job.id)).toEqual(job);
    });
  });
});
