import { describe, expect, it } from '@jest/globals';
import { DEADLINE_MS, retryDelay, retrySchedule } from './retry-schedule.ts';

const schedule = retrySchedule.parse(undefined);

describe('the schedule', () => {
  it('grows from seconds to hours, and ends within a day', () => {
    expect(schedule[0]).toBe(5);
    expect([...schedule].sort((a, b) => a - b)).toEqual(schedule);
    const sum = schedule.reduce((total, seconds) => total + seconds, 0) * 1_000;
    expect(sum).toBeLessThanOrEqual(DEADLINE_MS);
    expect(sum).toBeGreaterThan(0.95 * DEADLINE_MS);
  });

  it('can be configured', () => {
    expect(retrySchedule.parse('1, 2.5,0')).toEqual([1, 2.5, 0]);
    for (const text of ['1,,2', 'soon', '-1', '', '1;2', '90000'])
      expect(retrySchedule.safeParse(text).success).toBe(false);
  });
});

describe('a failed attempt', () => {
  it('is followed by another after the time in the schedule, up to a tenth sooner', () => {
    for (const [index, seconds] of schedule.entries()) {
      const delay = retryDelay({ tries: index + 1, pendingMs: 0 }, schedule) as number;
      expect(delay).toBeLessThanOrEqual(seconds * 1_000);
      expect(delay).toBeGreaterThanOrEqual(seconds * 900);
    }
  });

  it('is the last one at the end of the schedule, or of the day', () => {
    expect(retryDelay({ tries: schedule.length + 1, pendingMs: 0 }, schedule)).toBeNull();
    expect(retryDelay({ tries: 1, pendingMs: DEADLINE_MS }, schedule)).toBeNull();
    expect(retryDelay({ tries: 1, pendingMs: 0 }, [])).toBeNull();
  });

  it('is not followed before the Retry-After of the receiver, nor after the day', () => {
    expect(retryDelay({ tries: 1, pendingMs: 0, retryAfterMs: 60_000 }, schedule)).toBe(60_000);
    expect(retryDelay({ tries: 4, pendingMs: 0, retryAfterMs: 1_000 }, schedule)).toBeGreaterThan(500_000);
    expect(retryDelay({ tries: 1, pendingMs: DEADLINE_MS - 7_000, retryAfterMs: Infinity }, schedule)).toBe(7_000);
  });
});
