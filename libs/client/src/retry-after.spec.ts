import { expect, it } from '@jest/globals';
import { retryAfterMs } from './retry-after.ts';

const date = 'Sun, 06 Nov 1994 08:49:30 GMT';

it.each([
  ['0', 0],
  ['120', 120_000],
  [' 7 ', 7_000],
])('reads %j as seconds', (value, ms) => {
  expect(retryAfterMs(new Headers({ 'retry-after': value }))).toBe(ms);
});

it.each(['Sun, 06 Nov 1994 08:49:37 GMT', 'Sunday, 06-Nov-94 08:49:37 GMT', 'Sun Nov  6 08:49:37 1994'])(
  'reads %j as a date, and compares it with the Date of the answer',
  (value) => {
    expect(retryAfterMs(new Headers({ 'retry-after': value, date }))).toBe(7_000);
  },
);

it('compares a date with the local clock when the answer has no Date', () => {
  const inAMinute = new Date(Date.now() + 60_000).toUTCString();
  expect(retryAfterMs(new Headers({ 'retry-after': inAMinute }))).toBeGreaterThan(58_000);
});

it('returns 0 for a date that has passed', () => {
  expect(retryAfterMs(new Headers({ 'retry-after': 'Sun, 06 Nov 1994 08:49:29 GMT', date }))).toBe(0);
});

it.each(['', '-1', '1.5', 'soon', 'Sun, 99 Nov 1994 99:49:37 GMT'])('ignores %j', (value) => {
  expect(retryAfterMs(new Headers({ 'retry-after': value }))).toBeUndefined();
});
