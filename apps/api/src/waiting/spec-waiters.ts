import { afterEach, beforeEach, jest } from '@jest/globals';
import type { Job, JobStatus } from '@offload/jobs';
import { eventOf } from '@offload/jobs/events';
import { createLogger, Registry } from '@offload/process';
import { createWaiters } from './waiters.ts';

export const MINUTE_MS = 60_000;

/**
 * Time goes by only when a test says so, but for the pause before a refresh tries again, and for `eventually`. A worker
 * of Jest reports each test with nextTick(), which counted as a timer if it were faked.
 */
beforeEach(() => void jest.useFakeTimers({ doNotFake: ['performance', 'nextTick'] }));
afterEach(() => void jest.useRealTimers());

export function jobOf(id: string, status: JobStatus, version = 3): Job {
  const at = '2026-11-21T18:00:00.000Z';
  const rest = { type: 'spec.job', queue: 'default', priority: 0, tags: [], payload: {}, result: null };
  const errors = { error: null, errors: [], progress: null, attempt: 1, maxAttempts: 5 };
  const times = { createdAt: at, dueAt: at, startedAt: at, finishedAt: null, durationMs: null };
  return { id, status, version, ...rest, ...errors, ...times };
}

export function setup({ getJob = () => Promise.resolve(null), maxWaiters = 3_000 }: Partial<Parameters> = {}) {
  const warned: unknown[] = [];
  const log = createLogger('api', { level: 'silent', instance: 'spec' });
  log.warn = ((...line: unknown[]) => void warned.push(line)) as typeof log.warn;
  const metrics = new Registry();
  const waiters = createWaiters({ database: { jobs: { get: getJob } }, maxWaiters, retryMs: 1, metrics, log });
  return {
    waiters,
    warned,
    hear: (job: Job) => waiters.hear(eventOf(job)),
    /** A request that watches the job already. */
    watching(jobId: string, client = 'one') {
      const waiter = waiters.enter(client);
      waiter.watch(jobId);
      return waiter;
    },
    async open() {
      const [metric] = await metrics.getMetricsAsJSON();
      return [metric?.name, metric?.values[0]?.value];
    },
  };
}
export type Parameters = { getJob(id: string): Promise<Job | null>; maxWaiters: number };

/** Whether a wait is over, and how. */
export function followed(wait: Promise<Job | null>) {
  const state: { outcome: Job | 'null' | 'waiting' } = { outcome: 'waiting' };
  void wait.then((job) => (state.outcome = job ?? 'null'));
  return state;
}

/** Lets everything happen that can without time going by. */
export const settle = () => jest.advanceTimersByTimeAsync(0);
