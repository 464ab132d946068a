import { expect, it } from '@jest/globals';
import type { Job } from './job.ts';
import { oncePerJob } from './once-per-job.ts';

it('prints a job once, and another that is equal by itself', () => {
  const printed: Job[] = [];
  const print = oncePerJob((job) => printed.push(job));
  const [job, other] = [{ id: 'a' }, { id: 'a' }] as [Job, Job];
  expect([print(job), print(job), print(other), print(job)]).toEqual([1, 1, 2, 1]);
  expect(printed).toEqual([job, other]);
});
