import type { Job } from './job.ts';

/**
 * Makes a function that converts a job once for all callers with the same object, such as requests that share a read.
 * To serialize a job of megabytes for each of them would block the process.
 *
 * @param make converts the job. Its other arguments must be the same in all calls for one job.
 */
export function oncePerJob<Made, Rest extends unknown[]>(
  make: (job: Job, ...rest: Rest) => Made,
): (job: Job, ...rest: Rest) => Made {
  const known = new WeakMap<Job, { made: Made }>();
  return (job, ...rest) => {
    const entry = known.get(job) ?? { made: make(job, ...rest) };
    known.set(job, entry);
    return entry.made;
  };
}
