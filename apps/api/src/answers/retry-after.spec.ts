import { describe, expect, it } from '@jest/globals';
import type { Job } from '@offload/jobs';
import type { Backlog } from '../loops/backlog.ts';
import { retryAfter } from './retry-after.ts';

const createdAt = '2026-11-21T08:00:00.000Z';
const dueAt = '2026-11-21T08:01:30.000Z';
const scheduled = { status: 'scheduled', queue: 'default', createdAt, dueAt } as Job;

/** A backlog that takes the database's time to be so long after the job was made. */
const backlogAfter = (ms: number): Backlog =>
  ({
    databaseNow: () => Date.parse(createdAt) + ms,
    waitingAtLastSample: () => 0,
    waiting: () => 0,
  }) as unknown as Backlog;

describe('a scheduled job', () => {
  it.each([
    [0, '90'],
    [1, '90'],
    [999, '90'],
    [1_000, '89'],
    [89_999, '1'],
    [100_000, '1'],
  ])('%d ms after it was made waits for what is left until it is due, in whole seconds: %s', (ms, seconds) => {
    expect(retryAfter(scheduled, backlogAfter(ms))).toBe(seconds);
  });

  it.each([1, 2, 3_600_000])('never waits longer than its delay, though the estimate is %d ms behind', (ms) => {
    expect(retryAfter(scheduled, backlogAfter(-ms))).toBe('90');
  });
});
