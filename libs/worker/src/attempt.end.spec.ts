import { describe, expect, it } from '@jest/globals';
import { CancelledError } from './held-jobs.ts';
import { PermanentError } from './handler.ts';
import { type Run, setup, obedient } from './spec-attempt.ts';

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

  it('handles lost deliveries first, and uses up no attempt', async () => {
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

it('keeps the result of a handler that finishes after its signal fired', async () => {
  const finishes: Run = (_payload, { signal }) =>
    new Promise((resolve) => signal.addEventListener('abort', () => resolve({ doubled: 2 })));
  const { run, stop } = setup(finishes);
  const outcome = run();
  stop();
  expect(await outcome).toEqual({ status: 'succeeded', result: { doubled: 2 }, json: '{"doubled":2}' });
});

it('ends as cancelled when a client cancels the job, and gives the handler the reason', async () => {
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

it('does not fire the signal of a finished run when its delivery is lost later', async () => {
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

it('gives a run its whole timeout, even if a timer cannot hold it', async () => {
  const slow: Run = async () => new Promise((resolve) => setTimeout(resolve, 10, { doubled: 2 }));
  expect(await setup(slow, { timeoutMs: 2 ** 31 }).run()).toMatchObject({ status: 'succeeded' });
});
