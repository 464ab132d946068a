import type { AttemptError, Database, JobTerms, Outcome } from '@offload/database';
import { invalidBody } from '@offload/http';
import { type Job, type JobError, SerializedJob, storable } from '@offload/jobs';
import { boundedParse, retryDelayMs } from '@offload/jobs/definitions';
import type { RequestHandler } from 'express';
import { z } from 'zod';
import { announceSurely } from '../answers/announce-surely.ts';
import { attemptOf, fenced } from '../answers/attempt-of-path.ts';
import type { Dispatcher } from '../dispatcher.ts';
import type { JobTypes } from '../job-types/job-types.ts';

const attemptError = z.strictObject({
  code: z
    .string()
    .regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, 'must be up to 63 of a-z, 0-9, ".", "_" and "-", a letter or digit first')
    .default('handler-error'),
  message: z.string().describe('2,000 characters are kept.'),
  stack: z.string().optional().describe('8,192 characters are kept.'),
});
type GivenError = z.output<typeof attemptError>;

const MAX_DELAY_MS = 30 * 24 * 60 * 60 * 1_000;
const delayMs = z.int().min(0).max(MAX_DELAY_MS);

/** The body of `PUT /v1/jobs/{id}/attempts/{attempt}/outcome`: how the attempt ended. */
export const attemptOutcome = z.discriminatedUnion('status', [
  z.strictObject({
    status: z.literal('succeeded'),
    result: z
      .unknown()
      .default(null)
      .describe("As the result schema of the job's type allows; one that was registered without allows any."),
  }),
  z
    .strictObject({ status: z.literal('failed'), error: attemptError })
    .describe('For good: no other attempt can mend it.'),
  z
    .strictObject({
      status: z.literal('scheduled'),
      error: attemptError.nullable().default(null),
      delayMs: delayMs.optional(),
    })
    .refine((again) => again.error !== null || again.delayMs !== undefined, {
      path: ['delayMs'],
      error: 'must say when, where there is no error',
    })
    .describe(
      "Again, after `delayMs`, or else as the job's back-off says. It fails where this was the last attempt. Without an " +
        'error it is "not now": the attempt is not used up.',
    ),
  z
    .strictObject({ status: z.literal('queued') })
    .describe('Given back by a worker that stops: the attempt is not used up. Give the dispatch message back, too.'),
  z.strictObject({ status: z.literal('cancelled') }).describe('Stopped because the job is to be cancelled.'),
]);
type GivenOutcome = z.output<typeof attemptOutcome>;

/** What the call answers. */
export const settledAttempt = z.object({
  status: z.string().describe("The job's, by now."),
  version: z.int().describe("The job's, by now."),
});

export interface SettleParts {
  database: Database;
  dispatcher: Dispatcher;
  types: Pick<JobTypes, 'find' | 'read'>;
}

/**
 * `PUT /v1/jobs/{id}/attempts/{attempt}/outcome`: 200 once the outcome is stored and the broker has confirmed its event.
 * The same outcome again gets 200, too. 400 if the job's type does not allow the result; 409 `fenced` if the attempt does not hold the
 * job any more.
 */
export function settleAttempt({ database, dispatcher, types }: SettleParts): RequestHandler {
  return async (request, response) => {
    const path = attemptOf(request);
    const body = boundedParse(attemptOutcome, request.body);
    if (!body.success) throw invalidBody(body.error);
    const { id: jobId, attempt } = path;
    const terms = await database.jobs.terms(jobId);
    if (!terms) throw fenced(path);
    if (body.data.status === 'succeeded') await checkResult(body.data.result, terms, types);
    const outcome = outcomeOf(body.data, attempt, terms);
    const job = (await database.jobs.settle({ jobId, attempt, outcome })) ?? (await storedBefore());
    if (!job) throw fenced(path);
    await announceSurely(dispatcher, new SerializedJob(job));
    response.json({ status: job.status, version: job.version });

    /** The answer to an earlier request may have been lost. */
    async function storedBefore(): Promise<Job | null> {
      const row = await database.jobs.get(jobId);
      return row?.attempt === attempt && endedSo(row, outcome) ? row : null;
    }
  };
}

/**
 * Which version of the type the worker runs is not known: a result is held against all that it may be.
 *
 * @throws Problem 400 with pointers into the result
 */
async function checkResult(result: unknown, terms: JobTerms, types: SettleParts['types']): Promise<void> {
  const faultsOf = () => types.find(terms.type)?.resultFaults(result, terms.typeVersion);
  if (faultsOf() === null) return;
  await types.read(); // a version that this api has not heard of may allow it
  const faults = faultsOf();
  if (faults) throw invalidBody(faults, '/result');
}

function outcomeOf(given: GivenOutcome, attempt: number, terms: JobTerms): Outcome {
  if (given.status === 'failed') return { status: 'failed', error: errorOf(given.error, attempt) };
  if (given.status !== 'scheduled') return given;
  if (given.error === null) return { status: 'scheduled', error: null, delayMs: given.delayMs as number };
  const error = errorOf(given.error, attempt);
  if (attempt >= terms.maxAttempts) return { status: 'failed', error };
  return { status: 'scheduled', error, delayMs: given.delayMs ?? retryDelayMs(terms.backoff, terms.failures + 1) };
}

function errorOf({ code, message, stack }: GivenError, attempt: number): AttemptError {
  const told = { code, message: storable(message, 2_000), attempt };
  return stack === undefined ? told : { ...told, stack: storable(stack, 8_192) };
}

/** Whether a job that no longer runs got there by this outcome of its latest attempt. */
function endedSo(job: Job, outcome: Outcome): boolean {
  if (job.status === 'running') return false;
  // Of a job that is to be cancelled nothing but success counts.
  if (job.status === 'cancelled') return outcome.status !== 'succeeded';
  const waits = job.status === 'scheduled' || job.status === 'queued';
  switch (outcome.status) {
    case 'succeeded':
      return job.status === 'succeeded' && JSON.stringify(job.result) === JSON.stringify(outcome.result);
    case 'failed':
      return job.status === 'failed' && isSame(job.error, outcome.error);
    case 'scheduled':
      return waits && (outcome.error === null || isSame(job.errors.at(-1), outcome.error));
    case 'queued':
      return waits;
    case 'cancelled':
      return false;
  }
}

function isSame(stored: JobError | null | undefined, { code, message, attempt }: AttemptError): boolean {
  return stored?.code === code && stored.message === message && stored.attempt === attempt;
}
