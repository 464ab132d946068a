import { expect, it } from '@jest/globals';
import { duration, median, worst } from './statistics.ts';

it('has the middle and the worst of values in any order', () => {
  expect([median([3, 1, 2]), worst([3, 1, 2])]).toEqual([2, 3]);
  expect([median([]), worst([])]).toEqual([NaN, NaN]);
});

it('writes durations with two or three figures', () => {
  expect([0.4, 84.4, 999.4, 999.5, 1_349, 9_949, 9_950, 23_600, -12, NaN].map(duration)).toEqual([
    '0 ms',
    '84 ms',
    '999 ms',
    '1.0 s',
    '1.3 s',
    '9.9 s',
    '10 s',
    '24 s',
    '-12 ms',
    '–',
  ]);
});
