import type { Result } from '@offload/jobs/definitions';
import type { JobDefinitions } from '@offload/jobs/job-types';
import { availableParallelism } from 'node:os';
import { extname } from 'node:path';
import { PermanentError, RetryAfterError, createThreads } from '@offload/worker';

export type Profile = Result<JobDefinitions['csvProfile']>;

/** The task of a thread: either `csv` or `url`. */
export interface ProfileTask {
  csv?: string | undefined;
  url?: string | undefined;
  separator?: string | undefined;
  allowPrivateTargets: boolean;
}

/** The answer of a thread. Errors lose their class and fields on the way out of a thread, so the answer has values. */
export type ProfileAnswer =
  | { outcome: 'profile'; profile: Profile }
  | { outcome: 'permanent' | 'retry'; message: string; stack: string }
  | { outcome: 'retry-after'; message: string; stack: string; retryAfterMs: number };

/** Heap of one thread, in MiB. The largest profile needs a third of it. */
const THREAD_HEAP_MB = 1_024;

/** Most threads, and most profiles at once: one for each core. */
export const THREADS = availableParallelism();

const extension = extname(import.meta.url);
const threads = createThreads<ProfileTask, ProfileAnswer>({
  file: new URL(`csv.profile.thread${extension}`, import.meta.url),
  ...(extension === '.ts' && { execArgv: ['--conditions=@offload/source'] }),
  heapMb: THREAD_HEAP_MB,
});

/** Prepares a thread for one more profile: see `Threads.hold`. */
export const holdThread = threads.hold;

/** Ends every thread, and rejects profiles under way. A later profile starts new threads. */
export const closeProfilePool = threads.close;

/**
 * Profiles in a thread. At most {@link THREADS} run at once if callers hold a thread before: see {@link holdThread}.
 * @throws the error in the thread's answer, or the signal's reason at once
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

/** Gives an error the stack of the thread: the stack of this process does not show the fault. */
function thrownThere<Thrown extends Error>(error: Thrown, { stack }: { stack: string }): Thrown {
  return Object.assign(error, { stack });
}
