import { expect, it } from '@jest/globals';
import { checkedOptions } from './options.ts';
import { backoffMs, mayRepeat, pauseAfter } from './repeat.ts';

const settings = checkedOptions({ baseUrl: 'http://offload', backoffBaseMs: 100, backoffMaxMs: 1_000 });
const many = (attempt: number) => Array.from({ length: 500 }, () => backoffMs(settings, attempt));

it.each([
  [1, 100],
  [2, 200],
  [4, 800],
  [5, 1_000],
  [100, 1_000],
])('draws the pause after attempt %d from 0 to %d ms', (attempt, bound) => {
  const pauses = many(attempt);
  expect(Math.max(...pauses)).toBeLessThanOrEqual(bound);
  expect(Math.max(...pauses)).toBeGreaterThan(bound * 0.9);
  expect(Math.min(...pauses)).toBeLessThan(bound * 0.1);
});

it('pauses a little longer than Retry-After, and gives up when that is too long', () => {
  const told = (seconds: string) => pauseAfter(settings, 3, new Headers({ 'retry-after': seconds }));
  expect(told('2')).toBeGreaterThanOrEqual(2_000);
  expect(told('2')).toBeLessThanOrEqual(2_100);
  expect(told('60')).toBeGreaterThanOrEqual(60_000);
  expect(told('61')).toBeUndefined();
});

it('repeats an unsafe request only where the server did nothing', () => {
  const statuses = [200, 400, 404, 408, 409, 429, 500, 502, 503, 504];
  expect(statuses.filter((status) => mayRepeat('freely', status))).toEqual([408, 429, 502, 503, 504]);
  expect(statuses.filter((status) => mayRepeat('unacted', status))).toEqual([408, 429]);
});
