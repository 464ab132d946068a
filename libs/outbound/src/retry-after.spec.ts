import { expect, it } from '@jest/globals';
import { parseRetryAfter } from './retry-after.ts';

const now = Date.parse('2026-11-21T12:00:00Z');

it.each([
  ['120', 120_000],
  ['0', 0],
  [' 5 ', 5_000],
  ['Sat, 21 Nov 2026 12:00:30 GMT', 30_000],
  ['Sat, 21 Nov 2026 11:00:00 GMT', 0],
  ['86400', 86_400_000],
  ['Sun, 22 Nov 2026 12:00:00 GMT', 86_400_000],
  ['5, 7', 7_000],
  ['7,5', 7_000],
  ['5, Sat, 21 Nov 2026 12:00:30 GMT', 30_000],
  ['Sat, 21 Nov 2026 12:00:30 GMT, 5', 30_000],
  ['Sat, 21 Nov 2026 12:00:30 GMT, Sat, 21 Nov 2026 12:00:40 GMT', 40_000],
  ['Saturday, 21-Nov-26 12:00:30 GMT', 30_000],
  ['5, soon', undefined],
  ['5,', undefined],
  ['soon', undefined],
  ['-1', undefined],
  ['1.5', undefined],
  ['', undefined],
  [undefined, undefined],
])('Retry-After "%s" means %s ms', (value, ms) => {
  expect(parseRetryAfter(value, now)).toBe(ms);
});
