import type { Job } from './job.ts';

/**
 * Prints a job once for all who have the same object: requests that share a read do. A job of megabytes, printed for
 * each of them, would hold the process.
 *
 * @param print what it is given besides the job must be the same for each of them
 */
export function oncePerJob<Printed, Rest extends unknown[]>(
  print: (job: Job, ...rest: Rest) => Printed,
): (job: Job, ...rest: Rest) => Printed {
  const known = new WeakMap<Job, { printed: Printed }>();
  return (job, ...rest) => {
    const entry = known.get(job) ?? { printed: print(job, ...rest) };
    known.set(job, entry);
    return entry.printed;
  };
}
