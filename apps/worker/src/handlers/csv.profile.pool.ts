import type { JobDefinitions, Result } from '@offload/contracts';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { extname } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Piscina } from 'piscina';
import { PermanentError, RetryAfterError } from '../handler.ts';

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

let pool: Piscina<ProfileTask, ProfileAnswer> | undefined;

/**
 * Profiles in one of at most {@link THREADS} threads, started on demand and ended after 30 idle seconds.
 * Idle threads don't keep the process alive.
 * @throws what the thread's answer says, or at once the signal's reason
 */
export async function profileInThread(task: ProfileTask, signal: AbortSignal): Promise<Profile> {
  signal.throwIfAborted();
  pool ??= createPool();
  const answer = await pool.run(task, { signal }).catch((error: unknown) => {
    throw signal.aborted ? signal.reason : error;
  });
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

/** Ends every thread; a profile still under way is rejected. The next one would start a new pool. */
export async function closeProfilePool(): Promise<void> {
  const closing = pool;
  pool = undefined;
  await closing?.destroy();
}

function createPool(): Piscina<ProfileTask, ProfileAnswer> {
  // Run from sources the thread needs the same TypeScript loader; built, it is plain JavaScript.
  const extension = extname(import.meta.url);
  return new Piscina({
    filename: fileURLToPath(new URL(`csv.profile.thread${extension}`, import.meta.url)),
    ...(extension === '.ts' && { execArgv: sourceArguments() }),
    minThreads: 0,
    maxThreads: THREADS,
    idleTimeout: 30_000,
    atomics: 'disabled', // An idle thread that blocks on Atomics.wait couldn't finish closing its sockets.
    resourceLimits: { maxOldGenerationSizeMb: THREAD_HEAP_MB },
  });
}

function sourceArguments(): string[] {
  const loader = pathToFileURL(createRequire(import.meta.url).resolve('tsx'));
  return ['--import', loader.href, '--conditions=@offload/source'];
}
