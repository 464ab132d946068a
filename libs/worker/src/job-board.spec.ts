import { expect, it } from '@jest/globals';
import { createJobBoard, jobsOn, lastBeatOn, takeLongestGap } from './job-board.ts';

const job = (n: number, type = 'spec.job') => ({
  jobId: `01990000-0000-7000-8000-${String(n).padStart(12, '0')}`,
  attempt: n,
  type,
});

it('shows the jobs that were put on it and not cleared, to a reader of its memory', () => {
  const board = createJobBoard(3);
  for (const n of [1, 2, 3]) board.put(n - 1, job(n));
  board.clear(1);
  expect(jobsOn(board.memory)).toEqual([job(1), job(3)]);
  board.put(1, job(4, 'x'));
  expect(jobsOn(board.memory)).toEqual([job(1), job(4, 'x'), job(3)]);
});

it('leaves out jobs without a place, and the end of a long type', () => {
  const board = createJobBoard(1);
  board.put(0, job(1, 'x'.repeat(200)));
  board.put(1, job(2));
  board.clear(1);
  const [only, ...others] = jobsOn(board.memory);
  expect([only?.type.length, others]).toEqual([87, []]);
});

it('knows when it was last beaten, and the longest time between two beats', () => {
  const board = createJobBoard(1);
  expect(lastBeatOn(board.memory)).toBe(0);
  board.beat();
  expect(takeLongestGap(board.memory)).toBe(0);
  const first = lastBeatOn(board.memory);
  board.beat();
  expect(takeLongestGap(board.memory)).toBe(lastBeatOn(board.memory) - first);
  expect(takeLongestGap(board.memory)).toBe(0);
});
