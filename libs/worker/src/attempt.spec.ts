import { expect, it } from '@jest/globals';
import type { Job } from '@offload/jobs';
import { defineJob, storedPayload } from '@offload/jobs/definitions';
import { z } from 'zod';
import { type AttemptParts } from './attempt.ts';
import { PermanentError, RetryAfterError } from './handler.ts';
import { definition, setup, obedient } from './spec-attempt.ts';

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

it('serializes one large result in each turn of the event loop, and small results together', async () => {
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

it('hands the handler a payload of an older version as its upgrade makes it', async () => {
  const upgraded = defineJob({
    ...{ type: 'spec.upgraded', version: 3, description: 'Has had others.', result: z.unknown() },
    payload: z.strictObject({ size: z.strictObject({ width: z.int() }) }),
    upgrade(old, version) {
      if (version === 1) throw new Error('too old');
      return { size: { width: (old as { width: number }).width } };
    },
  });
  const under = (typeVersion: number, payload: unknown) =>
    setup(async (given) => given, {
      ...{ definition: upgraded, typeVersion },
      job: { payload, attempt: 1, maxAttempts: 3 } as Job,
    }).run();
  expect(await under(2, { width: 5 })).toMatchObject({ status: 'succeeded', result: { size: { width: 5 } } });
  expect(await under(3, { size: { width: 5 } })).toMatchObject({ status: 'succeeded' });
  const invalid = { status: 'failed', error: { code: 'invalid-payload', attempt: 1 } };
  expect(await under(1, { width: 5 })).toMatchObject({ ...invalid, error: { message: 'too old' } });
  expect(await under(2, { width: 'wide' })).toMatchObject(invalid);
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

it('fails without a retry on a PermanentError, even if its message is no string', async () => {
  const { run } = setup(async () => {
    throw Object.assign(new PermanentError(), { message: Object.create(null) });
  });
  expect(await run()).toMatchObject({ status: 'failed', error: { code: 'permanent' } });
});

it('keeps error messages storable: no NUL, no half surrogate pair, no novel', async () => {
  const { run } = setup(async () => {
    throw new PermanentError(`a\0b\ud800${'x'.repeat(5_000)}`);
  });
  const { error } = (await run()) as { error: { message: string } };
  expect(error.message.startsWith('a\ufffdb\ufffdx')).toBe(true);
  expect(error.message).toHaveLength(2_000);
});
