import type { Job } from '@offload/jobs';
import type { Logger } from '@offload/process';

const FIRST_MS = 50;
const LONGEST_MS = 5_000;
/** So many jobs are remembered. The oldest is forgotten first, and begins with the shortest delay again. */
const MOST_JOBS = 1_000;

/** Decides how soon a job comes back that this worker cannot run, and another worker of its queue may. */
export interface PutBacks {
  /** @returns milliseconds: 50 the first time, twice as long each further time this worker has the job, 5,000 at most */
  delayMs(job: Pick<Job, 'id' | 'type'>, typeVersion: number): number;
}

/** @param log gets one warning for each type and version that this worker does not have */
export function createPutBacks(log: Pick<Logger, 'warn'>): PutBacks {
  const delays = new Map<string, number>();
  const warned = new Set<string>();
  return {
    delayMs({ id, type }, typeVersion) {
      const name = `${type} ${typeVersion}`;
      if (!warned.has(name)) log.warn({ type, typeVersion }, 'unknown job type or version: left to other workers');
      warned.add(name);
      const delayMs = Math.min(LONGEST_MS, 2 * (delays.get(id) ?? FIRST_MS / 2));
      delays.delete(id); // so that it becomes the youngest
      delays.set(id, delayMs);
      const [oldest] = delays.keys();
      if (delays.size > MOST_JOBS && oldest !== undefined) delays.delete(oldest);
      return delayMs;
    },
  };
}
