import { isFinished, type Job } from '@offload/contracts';
import type { Database } from '@offload/database';
import { callerOf } from '@offload/runtime';
import type { Request, Response } from 'express';
import { waitSeconds } from '../prefer.ts';
import type { Waiters } from '../waiters.ts';
import { nullWhileAway } from './null-while-away.ts';

/** A request that may be held until its job is finished (`Prefer: wait=N`, RFC 7240 section 4.3). */
export interface Hold {
  /** Whether it may be held at all. */
  readonly waits: boolean;
  /** A finish of this job is noticed from now on: to be called before it is read or created. */
  watch(jobId: string): void;
  /**
   * The job when it is finished, or as it is when the time is over; at once, as given, where the request does not want to
   * wait.
   *
   * @param old it may have changed since
   */
  until(job: Job, old?: boolean): Promise<Job>;
  /** Gives the place back; to be called in any case. */
  end(): void;
}

const NOT_HELD: Hold = {
  waits: false,
  watch: () => undefined,
  until: (job) => Promise.resolve(job),
  end: () => undefined,
};

/** @throws Problem 429 when the client has as many requests that wait as it may */
export function holdAsPreferred(
  request: Request,
  response: Response,
  { waiters, database }: { waiters: Waiters; database: Pick<Database, 'getJob'> },
): Hold {
  response.vary('Prefer');
  const seconds = waitSeconds(request.get('prefer'));
  if (seconds === 0) response.set('Preference-Applied', 'wait=0');
  if (!seconds) return NOT_HELD;

  /** To have taken a job is not undone by not being able to read it. @returns null when it is gone, or can't be read */
  const read = (id: string): Promise<Job | null> => nullWhileAway(database.getJob(id));
  const overAt = performance.now() + seconds * 1_000;
  const waiter = waiters.enter(callerOf(response));
  response.once('close', waiter.leave);
  return {
    waits: true,
    watch: waiter.watch,
    async until(given, old = false) {
      response.set('Preference-Applied', `wait=${seconds}`);
      const job = old ? await read(given.id) : given;
      if (job === null || isFinished(job.status)) return job ?? given;
      const finished = await waiter.wait(overAt - performance.now(), job.version);
      return finished ?? (response.destroyed ? job : ((await read(job.id)) ?? job));
    },
    end: waiter.leave,
  };
}
