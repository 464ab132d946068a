import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { HandlerContext } from '@offload/worker';
import { demoSleep } from './demo.sleep.ts';

function setup() {
  const controller = new AbortController();
  const told: [number, string?][] = [];
  const context = {
    signal: controller.signal,
    progress: (...progress: [number, string?]) => void told.push(progress),
  } as HandlerContext;
  return { controller, told, context };
}

it('sleeps fractions of a second for real', async () => {
  const { context, told } = setup();
  const { sleptMs } = await demoSleep({ seconds: 0.05 }, context);
  expect(sleptMs).toBeGreaterThanOrEqual(50);
  expect(told).toEqual([]);
});

describe('with a clock of our own', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  it('does not sleep at all for 0 seconds', async () => {
    await expect(demoSleep({ seconds: 0 }, setup().context)).resolves.toEqual({ sleptMs: 0 });
  });

  it('reports each second that is over, and how long it slept', async () => {
    const { context, told } = setup();
    const sleeping = demoSleep({ seconds: 3.5 }, context);
    await jest.advanceTimersByTimeAsync(999);
    expect(told).toEqual([]);
    await jest.advanceTimersByTimeAsync(2_501);
    await expect(sleeping).resolves.toEqual({ sleptMs: 3_500 });
    expect(told).toEqual([
      [28, '1 of 3.5 s'],
      [57, '2 of 3.5 s'],
      [85, '3 of 3.5 s'],
    ]);
  });

  it('reports a second once, also when a timer is a little early', async () => {
    const { context, told } = setup();
    const exact = performance.now.bind(performance);
    let early = true;
    // Just before the end the clock is once a fraction of a millisecond behind the timers.
    jest.spyOn(performance, 'now').mockImplementation(() => {
      const now = exact();
      if (now - startedAt < 1_900 || !early) return now;
      early = false;
      return now - 0.3;
    });
    const startedAt = exact();
    const sleeping = demoSleep({ seconds: 1.9 }, context);
    await jest.advanceTimersByTimeAsync(1_905);
    await sleeping;
    expect(early).toBe(false);
    expect(told).toEqual([[52, '1 of 1.9 s']]);
    jest.restoreAllMocks();
  });

  it('does not drift: an hour is an hour', async () => {
    const { context, told } = setup();
    const sleeping = demoSleep({ seconds: 3_600 }, context);
    await jest.advanceTimersByTimeAsync(3_600_000);
    await expect(sleeping).resolves.toEqual({ sleptMs: 3_600_000 });
    expect(told).toHaveLength(3_599);
    expect(told.at(-1)).toEqual([99, '3599 of 3600 s']);
  });

  it('stops at once when aborted, with the reason, and leaves no timer', async () => {
    const { context, controller } = setup();
    const sleeping = demoSleep({ seconds: 10 }, context);
    const rejected = expect(sleeping).rejects.toThrow('shutdown');
    await jest.advanceTimersByTimeAsync(1_500);
    controller.abort(new Error('shutdown'));
    await rejected;
    expect(jest.getTimerCount()).toBe(0);
    await expect(demoSleep({ seconds: 0 }, context)).rejects.toThrow('shutdown');
  });
});
