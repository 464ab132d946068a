import { isFinished, type Job } from '@offload/jobs';
import type { JobStore } from '@offload/database';
import { callerOf } from '@offload/access';
import type { Request, Response } from 'express';
import { waitSeconds } from './prefer.ts';
import type { Waiters } from './waiters.ts';

/** A request that may be held until its job is finished (`Prefer: wait=N`, RFC 7240 section 4.3). */
export interface Hold {
  /** Whether it may be held at all. */
  readonly waits: boolean;
  /** A finish of this job is noticed from now on: to be called before it is read or created. */
  watch(jobId: string): void;
  /**
   * The job when it is finished, or as it is when the time is over; at once where the request does not want to wait. It
   * may be megabytes: it is read for the answer, and not kept in memory meanwhile.
   *
   * @param known the job where it is known as it is by now @default it is read
   * @returns null when there is none
   */
  until(jobId: string, known?: Job): Promise<Job | null>;
  /** Gives the place back; to be called in any case. */
  end(): void;
}

/** @throws Problem 429 when the client has as many requests that wait as it may */
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
