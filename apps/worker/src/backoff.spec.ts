import { expect, it } from '@jest/globals';
import { retryDelayMs } from './backoff.ts';

const backoff = { baseMs: 1_000, factor: 2, maxMs: 5_000 };

it('grows the bound with each attempt and never beyond the longest', () => {
  const longest = [1, 2, 3, 4, 50].map((attempt) => retryDelayMs(backoff, attempt, () => 1));
  expect(longest).toEqual([1_000, 2_000, 4_000, 5_000, 5_000]);
});

it('draws from nothing up to the bound', () => {
  expect(retryDelayMs(backoff, 3, () => 0)).toBe(0);
  expect(retryDelayMs(backoff, 3, () => 0.25)).toBe(1_000);
});
