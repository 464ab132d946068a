import type { Result } from '@offload/jobs/definitions';
import type { JobDefinitions } from '@offload/jobs/job-types';
import { availableParallelism } from 'node:os';
import { extname } from 'node:path';
import { PermanentError, RetryAfterError, createThreads } from '@offload/worker';

export type Profile = Result<JobDefinitions['csvProfile']>;

/** What a thread is told: either `csv` or `url`. */
export interface ProfileTask {
  csv?: string | undefined;
  url?: string | undefined;
  separator?: string | undefined;
  allowPrivateTargets: boolean;
}

/** What a thread answers. Errors lose their class and fields on the way out of a thread, so they travel as values. */
export type ProfileAnswer =
  | { outcome: 'profile'; profile: Profile }
  | { outcome: 'permanent' | 'retry'; message: string; stack: string }
  | { outcome: 'retry-after'; message: string; stack: string; retryAfterMs: number };

/** Heap of one thread, in MiB; unless set it follows from the machine's memory. The largest profile needs a third. */
const THREAD_HEAP_MB = 1_024;

/** Most threads, and so profiles at once: one a core. */
export const THREADS = availableParallelism();

const extension = extname(import.meta.url);
const threads = createThreads<ProfileTask, ProfileAnswer>({
  file: new URL(`csv.profile.thread${extension}`, import.meta.url),
  ...(extension === '.ts' && { execArgv: ['--conditions=@offload/source'] }),
  heapMb: THREAD_HEAP_MB,
});

/** Makes a thread ready for one more profile, see `Threads.hold`. */
export const holdThread = threads.hold;

/** Ends every thread; a profile still under way is rejected. The next one would start new threads. */
export const closeProfilePool = threads.close;

/**
 * Profiles in a thread. At most {@link THREADS} run at once when each is held before, see {@link holdThread}.
 * @throws what the thread's answer says, or at once the signal's reason
 */
export async function profileInThread(task: ProfileTask, signal: AbortSignal): Promise<Profile> {
  const answer = await threads.run(task, signal);
  switch (answer.outcome) {
    case 'profile':
      return answer.profile;
    case 'permanent':
      throw thrownThere(new PermanentError(answer.message), answer);
    case 'retry-after':
      throw thrownThere(new RetryAfterError(answer.message, answer.retryAfterMs), answer);
    case 'retry':
      throw thrownThere(new Error(answer.message), answer);
  }
}

/** The thread's own stack: the one of here tells nothing. */
function thrownThere<Thrown extends Error>(error: Thrown, { stack }: { stack: string }): Thrown {
  return Object.assign(error, { stack });
}
