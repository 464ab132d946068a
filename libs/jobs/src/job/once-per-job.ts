import type { Job } from './job.ts';

/**
 * Makes something of a job once for all who have the same object: requests that share a read do. A job of megabytes,
 * serialized for each of them, would hold the process.
 *
 * @param make what it is given besides the job must be the same for each of them
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
