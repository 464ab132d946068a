import { describe, expect, it } from '@jest/globals';
import { medianOf, miscounted, quantile, rateAfterWarmUp, summarize } from './summary.ts';

describe('quantile', () => {
  it('takes the value in the middle, in any order', () => {
    expect(medianOf([3, 1, 2])).toBe(2);
  });

  it('takes the mean of the two in the middle', () => {
    expect(medianOf([4, 1, 2, 3])).toBe(2.5);
  });

  it('interpolates between two values', () => {
    expect(quantile([0, 100], 0.99)).toBe(99);
  });

  it('is NaN without values', () => {
    expect(medianOf([])).toBeNaN();
    expect(summarize([])).toEqual({ median: NaN, least: NaN, most: NaN, rounds: 0 });
  });
});

it('summarizes rounds with their spread', () => {
  expect(summarize([5, 9, 6])).toEqual({ median: 6, least: 5, most: 9, rounds: 3 });
});

describe('rateAfterWarmUp', () => {
  it('omits the first fifth', () => {
    const slowStart = [0, 5_000, 5_100, 5_200, 5_300, 5_400, 5_500, 5_600, 5_700, 5_800];
    expect(rateAfterWarmUp(slowStart)).toBeCloseTo(10);
  });

  it('is right where many are done at the same time', () => {
    const hundredEachHalfSecond = Array.from({ length: 2_000 }, (_, index) => Math.floor(index / 100) * 500);
    expect(rateAfterWarmUp(hundredEachHalfSecond)).toBeCloseTo(200);
  });

  it('does not depend on the order', () => {
    expect(rateAfterWarmUp([300, 0, 400, 100, 200])).toBeCloseTo(10);
  });

  it('is NaN when all are done at the same time', () => {
    expect(rateAfterWarmUp([7, 7, 7])).toBeNaN();
    expect(rateAfterWarmUp([])).toBeNaN();
  });
});

describe('miscounted', () => {
  it('accepts requests that were in flight at the end, stored or not', () => {
    expect(miscounted({ accepted: 10, sent: 12, stored: 10 })).toEqual({ lost: 0, phantom: 0 });
    expect(miscounted({ accepted: 10, sent: 12, stored: 12 })).toEqual({ lost: 0, phantom: 0 });
  });

  it('counts accepted jobs that are not stored, and stored jobs that were not sent', () => {
    expect(miscounted({ accepted: 10, sent: 12, stored: 9 })).toEqual({ lost: 1, phantom: 0 });
    expect(miscounted({ accepted: 10, sent: 12, stored: 14 })).toEqual({ lost: 0, phantom: 2 });
  });
});
