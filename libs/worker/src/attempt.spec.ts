import assert from 'node:assert';
import { describe, expect, it, jest } from '@jest/globals';
import { defineJob, storedPayload, type Job } from '@offload/jobs';
import type { Outbound } from '@offload/outbound';
import { createLogger } from '@offload/process';
import { z } from 'zod';
import { attempt, type AttemptParts } from './attempt.ts';
import { CancelledError, createHeldJobs } from './held-jobs.ts';
import { PermanentError, RetryAfterError, SnoozeError, type HandlerContext } from './handler.ts';

type Run = (payload: unknown, context: HandlerContext) => Promise<unknown>;

const definition = defineJob({
  type: 'spec.job',
  description: 'Ends however the spec wants it to.',
  payload: z.strictObject({ n: z.number() }),
  result: z.strictObject({ doubled: z.number() }),
});

function setup(handler: Run, more: Partial<AttemptParts> = {}) {
  const letGo = new AbortController();
  const heldJobs = createHeldJobs(letGo.signal);
  const holding = heldJobs.take('id', new AbortController().signal);
  const job = { id: 'id', payload: { n: 1 }, attempt: 2, maxAttempts: 3, errors: [] as unknown } as Job;
  const log = createLogger('spec', { level: 'silent', instance: 'spec' });
  const context = {
    jobId: 'id',
    attempt: 2,
    idempotencyKey: 'key',
    progress: () => undefined,
    outbound: {} as Outbound,
    log,
    get signal() {
      return holding.run.signal;
    },
  };
  const backoff = { baseMs: 100, factor: 1, maxMs: 100 };
  const parts = {
    job,
    definition,
    handler,
    timeoutMs: 60_000,
    backoff,
    holding,
    context,
  };
  const all = { ...parts, ...more } as AttemptParts;
  const stop = (): void => letGo.abort(new Error('the worker is stopping'));
  return { stop, cancel: () => heldJobs.cancel('id'), run: () => attempt(all) };
}

/** A handler that ends when its signal fires, and in no other way. */
const obedient: Run = (_payload, { signal }) =>
  new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));

it('succeeds with the result the handler returns', async () => {
  const { run } = setup(async (payload) => ({ doubled: (payload as { n: number }).n * 2 }));
  expect(await run()).toEqual({ status: 'succeeded', result: { doubled: 2 }, json: '{"doubled":2}' });
});

/** @returns the turn of the event loop in which each result is written, when results of these lengths come together */
async function turnsOfWriting(lengths: number[]): Promise<number[]> {
  let turn = 0;
  let isOver = false;
  function count(): void {
    turn += 1;
    if (!isOver) setImmediate(count);
  }
  const writtenIn: number[] = [];
  const results = lengths.map((length) => ({ toJSON: () => (writtenIn.push(turn), 'x'.repeat(length)) }));
  const open = defineJob({ type: 'spec.open', description: 'Ends.', payload: z.unknown(), result: z.unknown() });
  const runs = results.map((result) => setup(async () => result, { definition: open }).run());
  count();
  await Promise.all(runs);
  isOver = true;
  return writtenIn;
}

it('writes one large result a turn of the event loop, and small ones together', async () => {
  expect(new Set(await turnsOfWriting([10, 60_000, 10])).size).toBe(1);
  expect(new Set(await turnsOfWriting([70_000, 1_000_000, 70_000])).size).toBe(3);
});

it('hands the handler the payload parsed once, after the api has stored it', async () => {
  const payload = z.object({
    euros: z.number().transform((euros) => euros * 100),
    currency: z.string().default('EUR'),
  });
  const stored = storedPayload(payload, { euros: 5 });
  expect(stored).toEqual({ euros: 5, currency: 'EUR' });
  const { run } = setup(async (given) => given, {
    definition: defineJob({ type: 'spec.pay', description: 'Pays.', payload, result: z.unknown() }),
    job: { payload: stored, attempt: 1, maxAttempts: 1 } as Job,
  });
  expect(await run()).toMatchObject({ result: { euros: 500, currency: 'EUR' } });
});

it('fails for good on a payload that does not fit, without running the handler', async () => {
  let ran = false;
  const { run } = setup(
    async () => {
      ran = true;
    },
    { job: { payload: { n: 'one' }, attempt: 1, maxAttempts: 3 } as Job },
  );
  expect(await run()).toMatchObject({ status: 'failed', error: { code: 'invalid-payload', attempt: 1 } });
  expect(ran).toBe(false);
});

it('fails for good on a result that does not fit', async () => {
  const { run } = setup(async () => ({ tripled: 3 }));
  expect(await run()).toMatchObject({ status: 'failed', error: { code: 'invalid-result' } });
});

it('fails for good on a result that no event could carry', async () => {
  const { run } = setup(async () => ({ doubled: 2 }), {
    definition: defineJob({ ...definition, result: z.unknown().transform(() => 'x'.repeat(9 * 1024 * 1024)) }),
  });
  expect(await run()).toMatchObject({ status: 'failed', error: { code: 'result-too-large' } });
});

it('fails for good on a PermanentError', async () => {
  const { run } = setup(async () => {
    throw new PermanentError('no such customer');
  });
  expect(await run()).toMatchObject({
    status: 'failed',
    error: { code: 'permanent', message: 'no such customer', attempt: 2 },
  });
});

it('keeps where a handler threw, and why', async () => {
  const failing = (failure: unknown, more: Partial<AttemptParts> = {}) =>
    setup(async (_payload, { signal }) => {
      if (more.timeoutMs) await new Promise((resolve) => signal.addEventListener('abort', resolve));
      throw failure;
    }, more).run();
  const cause = new Error('out of paper');
  for (const outcome of [
    await failing(new Error('can not print', { cause })),
    await failing(new PermanentError('can not print', { cause })),
    await failing(new RetryAfterError('can not print', 1, { cause })),
    await failing(new Error('can not print', { cause }), { timeoutMs: 1 }),
  ]) {
    const { stack } = (outcome as { error: { stack?: string } }).error;
    expect(stack).toMatch(/^(Permanent|RetryAfter)?Error: can not print\n +at .*attempt\.spec\.ts/);
    expect(stack).toMatch(/\nCaused by: Error: out of paper\n +at .*attempt\.spec\.ts/);
  }
});

it('keeps no stack of what the engine says itself', async () => {
  for (const outcome of [
    await setup(obedient, { timeoutMs: 1 }).run(),
    await setup(async () => ({ tripled: 3 })).run(),
  ]) {
    expect((outcome as { error: object }).error).not.toHaveProperty('stack');
  }
});

it('schedules the next attempt within the back-off after any other error, also a synchronous one', async () => {
  const { run } = setup(() => {
    throw new Error('try me again');
  });
  const outcome = await run();
  expect(outcome).toMatchObject({ status: 'scheduled', error: { code: 'handler-error', message: 'try me again' } });
  expect((outcome as { delayMs: number }).delayMs).toBeLessThanOrEqual(100);
});

it.each([
  [
    'an error whose message can not be read',
    Object.defineProperty(new Error(), 'message', { get: () => assert.fail() }),
  ],
  ['an error whose message is no text', Object.assign(new Error(), { message: { toString: null } })],
  ['an object without a prototype', Object.create(null)],
  ['a proxy that answers nothing', new Proxy({}, { getPrototypeOf: () => assert.fail(), get: () => assert.fail() })],
])('retries after %s was thrown, as after any error', async (_what, thrown) => {
  const { run } = setup(async () => {
    throw thrown;
  });
  const message = 'threw something that can not be described';
  expect(await run()).toMatchObject({ status: 'scheduled', error: { code: 'handler-error', message } });
});

it('fails for good on a PermanentError, whatever its message', async () => {
  const { run } = setup(async () => {
    throw Object.assign(new PermanentError(), { message: Object.create(null) });
  });
  expect(await run()).toMatchObject({ status: 'failed', error: { code: 'permanent' } });
});

it('backs off by the attempts that failed, not by those that were snoozed or given back', async () => {
  const random = jest.spyOn(Math, 'random').mockReturnValue(1);
  const { run } = setup(() => Promise.reject(new Error('the second failure')), {
    job: { payload: { n: 1 }, attempt: 50, maxAttempts: 60, errors: [{}] } as Job,
    backoff: { baseMs: 100, factor: 2, maxMs: 10_000 },
  });
  expect(await run()).toMatchObject({ status: 'scheduled', delayMs: 200 });
  random.mockRestore();
});

it('waits at least as long as a RetryAfterError says', async () => {
  const { run } = setup(async () => {
    throw new RetryAfterError('busy', 5_000);
  });
  expect(await run()).toMatchObject({ status: 'scheduled', delayMs: 5_000 });
});

it.each([
  [Number.POSITIVE_INFINITY, 30 * 86_400_000],
  [Number.NaN, 0],
  [-5, 0],
  [undefined as unknown as number, 0],
])('does not take %s milliseconds at their word', async (retryAfterMs, expected) => {
  const { run } = setup(
    async () => {
      throw new RetryAfterError('odd', retryAfterMs);
    },
    { backoff: { baseMs: 0, factor: 1, maxMs: 0 } },
  );
  expect(await run()).toMatchObject({ status: 'scheduled', delayMs: expected });
});

it('comes back without an error after a snooze, even from its last attempt', async () => {
  const { run } = setup(
    async () => {
      throw new SnoozeError(1_500);
    },
    { job: { payload: { n: 1 }, attempt: 3, maxAttempts: 3, errors: [] as unknown } as Job },
  );
  expect(await run()).toEqual({ status: 'scheduled', error: null, delayMs: 1_500 });
});

it('snoozes for 30 days at most', async () => {
  const { run } = setup(async () => {
    throw new SnoozeError(Number.MAX_VALUE);
  });
  expect(await run()).toMatchObject({ status: 'scheduled', delayMs: 30 * 86_400_000 });
});

it.each([-1, Number.NaN, Number.POSITIVE_INFINITY])('counts a snooze of %s ms as a mistake', async (delayMs) => {
  const { run } = setup(async () => {
    throw new SnoozeError(delayMs);
  });
  const message = `can't snooze for ${delayMs} ms`;
  expect(await run()).toMatchObject({ status: 'scheduled', error: { code: 'handler-error', message } });
});

it('fails when the last attempt is used up', async () => {
  const { run } = setup(
    async () => {
      throw new Error('again');
    },
    { job: { payload: { n: 1 }, attempt: 3, maxAttempts: 3, errors: [] as unknown } as Job },
  );
  expect(await run()).toMatchObject({ status: 'failed', error: { code: 'handler-error', attempt: 3 } });
});

it('aborts a handler that takes too long, and counts that as a failed attempt', async () => {
  const { run } = setup(obedient, { timeoutMs: 1 });
  expect(await run()).toMatchObject({
    status: 'scheduled',
    error: { code: 'timeout', message: 'took longer than 1 ms' },
  });
});

it('abandons a handler that does not obey its signal', async () => {
  const { run } = setup(() => new Promise(() => undefined), { timeoutMs: 1, abandonAfterMs: 1 });
  expect(await run()).toMatchObject({ status: 'scheduled', error: { code: 'timeout' } });
});

describe('a process that was frozen for longer than the timeout', () => {
  /** Lets nothing else happen for that long. */
  function freeze(ms: number): void {
    const until = performance.now() + ms;
    while (performance.now() < until);
  }

  it('hears first that its jobs are with others, and charges no attempt', async () => {
    const { run, stop } = setup(obedient, { timeoutMs: 1 });
    const outcome = run();
    freeze(600);
    setTimeout(stop, 10); // the loss is read after the timers that are due
    expect(await outcome).toEqual({ status: 'queued' });
  });

  it('ends those runs that are still its own by their timeout', async () => {
    const outcome = setup(obedient, { timeoutMs: 1 }).run();
    freeze(600);
    expect(await outcome).toMatchObject({ status: 'scheduled', error: { code: 'timeout' } });
  });
});

it('counts a result that comes after the timeout as a timeout', async () => {
  const late: Run = (_payload, { signal }) =>
    new Promise((resolve) => signal.addEventListener('abort', () => resolve({ doubled: 2 })));
  expect(await setup(late, { timeoutMs: 1 }).run()).toMatchObject({ error: { code: 'timeout' } });
});

it('gives the job back when the worker must let go of it', async () => {
  const { run, stop } = setup(obedient);
  const outcome = run();
  stop();
  expect(await outcome).toEqual({ status: 'queued' });
});

it('gives the job back at once when it had to be let go of before it began', async () => {
  const { run, stop } = setup(obedient);
  stop();
  expect(await run()).toEqual({ status: 'queued' });
});

it('keeps the result of a handler that finishes although it was told to stop', async () => {
  const finishes: Run = (_payload, { signal }) =>
    new Promise((resolve) => signal.addEventListener('abort', () => resolve({ doubled: 2 })));
  const { run, stop } = setup(finishes);
  const outcome = run();
  stop();
  expect(await outcome).toEqual({ status: 'succeeded', result: { doubled: 2 }, json: '{"doubled":2}' });
});

it('keeps error messages storable: no NUL, no half surrogate pair, no novel', async () => {
  const { run } = setup(async () => {
    throw new PermanentError(`a\0b\ud800${'x'.repeat(5_000)}`);
  });
  const { error } = (await run()) as { error: { message: string } };
  expect(error.message.startsWith('a\ufffdb\ufffdx')).toBe(true);
  expect(error.message).toHaveLength(2_000);
});

it('ends as cancelled when its job is, and tells the handler why', async () => {
  let reason: unknown;
  const { run, cancel } = setup((_payload, { signal }) => {
    cancel();
    reason = signal.reason;
    throw signal.reason;
  });
  expect(await run()).toEqual({ status: 'cancelled' });
  expect(reason).toBeInstanceOf(CancelledError);
});

it.each<[string, Run]>([
  ['never ends', () => new Promise(() => undefined)],
  ['returns all the same', async () => ({ doubled: 2 })],
  ['fails all the same', () => Promise.reject(new PermanentError('for good'))],
])('ends as cancelled also when the handler %s', async (_what, handler) => {
  const { run, cancel } = setup(
    (payload, context) => {
      cancel();
      return handler(payload, context);
    },
    { abandonAfterMs: 1 },
  );
  expect(await run()).toEqual({ status: 'cancelled' });
});

it('leaves the signal of a run alone that is over, whatever becomes of its ring', async () => {
  let signal: AbortSignal | undefined;
  const { run, cancel, stop } = setup(async (_payload, context) => {
    signal = context.signal;
    return { doubled: 2 };
  });
  await run();
  cancel();
  stop();
  expect(signal?.aborted).toBe(false);
});

it('does not begin a job that was cancelled before, and gives none back that is cancelled while it lets go', async () => {
  const before = setup(obedient);
  before.cancel();
  expect(await before.run()).toEqual({ status: 'cancelled' });

  const meanwhile = setup(
    (_payload, { signal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          meanwhile.cancel();
          reject(signal.reason);
        });
        meanwhile.stop();
      }),
  );
  expect(await meanwhile.run()).toEqual({ status: 'cancelled' });
});

it('gives a run the time it has, also one that timers cannot hold', async () => {
  const slow: Run = async () => new Promise((resolve) => setTimeout(resolve, 10, { doubled: 2 }));
  expect(await setup(slow, { timeoutMs: 2 ** 31 }).run()).toMatchObject({ status: 'succeeded' });
});
