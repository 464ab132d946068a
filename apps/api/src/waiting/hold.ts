import { isFinished, type Job } from '@offload/jobs';
import type { JobStore } from '@offload/database';
import { callerOf } from '@offload/access';
import type { Request, Response } from 'express';
import { waitSeconds } from './prefer.ts';
import type { Waiters } from './waiters.ts';

/** A request that may be held until its job is finished (`Prefer: wait=N`, RFC 7240 section 4.3). */
export interface Hold {
  /** Whether the request may be held. */
  readonly waits: boolean;
  /** From now on the hold notices when this job finishes. Call it before the job is read or created. */
  watch(jobId: string): void;
  /**
   * Resolves with the finished job, or with its present state when the time is over; at once if the request does not
   * wait. A job may have megabytes: it is read for the answer, and not kept in memory meanwhile.
   *
   * @param known the present state of the job @default read from the database
   * @returns null if there is no such job
   */
  until(jobId: string, known?: Job): Promise<Job | null>;
  /** Frees the place. Call it in any case. */
  end(): void;
}

/** @throws Problem 429 if the client has too many requests that wait */
export function holdAsPreferred(
  request: Request,
  response: Response,
  { waiters, database }: { waiters: Waiters; database: { jobs: Pick<JobStore, 'get' | 'getBrief'> } },
): Hold {
  response.vary('Prefer');
  const seconds = waitSeconds(request.get('prefer'));
  if (seconds === 0) response.set('Preference-Applied', 'wait=0');
  if (!seconds) {
    const until = (id: string, known?: Job) => (known ? Promise.resolve(known) : database.jobs.get(id));
    return { waits: false, watch: () => undefined, until, end: () => undefined };
  }

  const overAt = performance.now() + seconds * 1_000;
  const waiter = waiters.enter(callerOf(response));
  response.once('close', waiter.leave);
  return {
    waits: true,
    watch: waiter.watch,
    async until(id, known) {
      response.set('Preference-Applied', `wait=${seconds}`);
      const seen = known ?? (await database.jobs.getBrief(id));
      if (!seen) return null;
      const finished = isFinished(seen.status) ? null : await waiter.wait(overAt - performance.now(), seen.version);
      return finished ?? (response.destroyed ? seen : database.jobs.get(id));
    },
    end: waiter.leave,
  };
}
