import { expect, it } from '@jest/globals';
import { retryDelayMs } from './retry-delay.ts';

const backoff = { baseMs: 1_000, factor: 2, maxMs: 5_000 };

it('grows the bound with each failure and never beyond the longest', () => {
  const longest = [1, 2, 3, 4, 50].map((attempt) => retryDelayMs(backoff, attempt, () => 1));
  expect(longest).toEqual([1_000, 2_000, 4_000, 5_000, 5_000]);
});

it('is nothing without a base, however often it failed', () => {
  expect(retryDelayMs({ ...backoff, baseMs: 0, factor: 10 }, 1_000, () => 1)).toBe(0);
});

it('draws from nothing up to the bound', () => {
  expect(retryDelayMs(backoff, 3, () => 0)).toBe(0);
  expect(retryDelayMs(backoff, 3, () => 0.25)).toBe(1_000);
});
