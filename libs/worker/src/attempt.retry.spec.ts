import assert from 'node:assert';
import { expect, it, jest } from '@jest/globals';
import type { Job } from '@offload/jobs';
import { RetryAfterError, SnoozeError } from './handler.ts';
import { setup } from './spec-attempt.ts';

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
