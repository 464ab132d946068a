import { expect, it, jest } from '@jest/globals';
import { delay, MAX_TIMER_MS, setTicker, setTimer } from './timers.ts';

it.each([MAX_TIMER_MS + 1, MAX_TIMER_MS + 10_000, 2 ** 53, Infinity])(
  'a timer of %d ms does not fire at once',
  async (ms) => {
    const fired = jest.fn();
    const timers = [setTimer(fired, ms), setTicker(fired, ms)];
    const over = new AbortController();
    const waiting = delay(ms, undefined, { signal: over.signal }).then(fired, () => 'still waited');
    await delay(10); // Node.js would turn each of them into 1 ms
    over.abort();
    timers.forEach(clearTimeout);
    expect(await waiting).toBe('still waited');
    expect(fired).not.toHaveBeenCalled();
  },
);

it('resolves with the given value', async () => {
  expect(await delay(1, 'value')).toBe('value');
});
