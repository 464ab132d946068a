import { expect, it } from '@jest/globals';
import type { Job } from './job.ts';
import { oncePerJob } from './once-per-job.ts';

it('converts a job once, and an equal job separately', () => {
  const taken: Job[] = [];
  const take = oncePerJob((job) => taken.push(job));
  const [job, other] = [{ id: 'a' }, { id: 'a' }] as [Job, Job];
  expect([take(job), take(job), take(other), take(job)]).toEqual([1, 1, 2, 1]);
  expect(taken).toEqual([job, other]);
});
