import type { Job } from '@offload/jobs';
import { defineJob } from '@offload/jobs/definitions';
import type { Outbound } from '@offload/outbound';
import { createLogger } from '@offload/process';
import { z } from 'zod';
import { attempt, type AttemptParts } from './attempt.ts';
import { createHeldJobs } from './held-jobs.ts';
import type { HandlerContext } from './handler.ts';

export type Run = (payload: unknown, context: HandlerContext) => Promise<unknown>;

export const definition = defineJob({
  type: 'spec.job',
  description: 'Ends however the spec wants it to.',
  payload: z.strictObject({ n: z.number() }),
  result: z.strictObject({ doubled: z.number() }),
});

export function setup(handler: Run, more: Partial<AttemptParts> = {}) {
  const letGo = new AbortController();
  const heldJobs = createHeldJobs(letGo.signal);
  const holding = heldJobs.take('id', new AbortController().signal);
  const job = { id: 'id', payload: { n: 1 }, attempt: 2, maxAttempts: 3, errors: [] as unknown } as Job;
  const log = createLogger('spec', { level: 'silent', instance: 'spec' });
  const context = {
    jobId: 'id',
    attempt: 2,
    idempotencyKey: 'key',
    progress: () => undefined,
    outbound: {} as Outbound,
    log,
    get signal() {
      return holding.run.signal;
    },
  };
  const backoff = { baseMs: 100, factor: 1, maxMs: 100 };
  const parts = {
    job,
    typeVersion: 1,
    definition,
    handler,
    timeoutMs: 60_000,
    backoff,
    holding,
    context,
  };
  const all = { ...parts, ...more } as AttemptParts;
  const stop = (): void => letGo.abort(new Error('the worker is stopping'));
  return { stop, cancel: () => heldJobs.cancel('id'), run: () => attempt(all) };
}

/** A handler that ends when its signal fires, and in no other way. */
export const obedient: Run = (_payload, { signal }) =>
  new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
