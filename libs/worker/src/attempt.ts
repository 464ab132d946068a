import { storable, type Job } from '@offload/jobs';
import { boundedParse, retryDelayMs, type Backoff, type JobDefinition } from '@offload/jobs/definitions';
import type { AttemptError, Outcome } from '@offload/database';
import { DeliveryLostError } from '@offload/messaging';
import { createOneATurn, setTimer } from '@offload/process';
import { z } from 'zod';
import { PermanentError, RetryAfterError, SnoozeError, type Handler, type HandlerContext } from './handler.ts';
import type { Holding } from './held-jobs.ts';
import { stackOf } from './stack-of.ts';

export interface AttemptParts {
  job: Job;
  /** The version that accepted the job's payload: the definition's, or an older version. */
  typeVersion: number;
  definition: JobDefinition;
  handler: Handler<JobDefinition>;
  timeoutMs: number;
  backoff: Backoff;
  /** How long the handler may run after its signal before it is abandoned, in milliseconds. @default 2_000 */
  abandonAfterMs?: number;
  /** The dispatch message of the job. */
  holding: Pick<Holding, 'run' | 'cancelled' | 'mustLetGo'>;
  context: HandlerContext;
}

/** A timeout that fires so late shows that the whole process was blocked, in milliseconds. */
const FROZEN_MS = 500;
/** Time in which the process then handles the messages that have arrived meanwhile, in milliseconds. */
const HEAR_MS = 250;

/** The error of a run that took longer than its job's timeout. */
class TimeoutError extends Error {
  override name = 'TimeoutError';
}

/**
 * Runs a handler once, from payload to outcome. Never rejects.
 *
 * Checks the payload again, since the row may be older than this worker's code. When the worker must let go of the job,
 * the outcome gives it back without using up the attempt, unless the run finishes first. The same holds when the
 * delivery was lost on an open connection, but only for the first times in a row, which the database counts. A result
 * after the timeout or after a cancel is ignored.
 */
export async function attempt(parts: AttemptParts): Promise<Outcome> {
  const { job, typeVersion, definition, timeoutMs, holding } = parts;
  const { run } = holding;
  if (holding.cancelled) return { status: 'cancelled' };
  if (holding.mustLetGo) return { status: 'queued' };

  const dueAt = performance.now() + timeoutMs;
  let timer = setTimer(expire, timeoutMs);
  /** If the timer is late, the process was frozen: it first handles messages, since the delivery may be lost. */
  function expire(): void {
    const abort = (): void => run.abort(new TimeoutError(`took longer than ${timeoutMs} ms`));
    if (performance.now() - dueAt < FROZEN_MS) abort();
    else timer = setTimer(abort, HEAR_MS);
  }
  try {
    const upgraded = inVersion(definition, typeVersion, job.payload);
    if ('fault' in upgraded) return { status: 'failed', error: invalid(upgraded.fault, job.attempt) };
    const payload = boundedParse(definition.payload, upgraded.payload);
    if (!payload.success) return { status: 'failed', error: jobError('invalid-payload', payload.error, job.attempt) };
    const returned = await handle(payload.data, parts);
    if (holding.cancelled) return { status: 'cancelled' };
    if (run.reason instanceof TimeoutError) return failed(run.reason, parts);
    while (oneATurn.taken) await oneATurn.taken;
    return succeeded(definition, returned, job.attempt);
  } catch (error) {
    if (holding.cancelled) return { status: 'cancelled' };
    if (run.reason instanceof TimeoutError) return failed(run.reason, parts, error);
    if (!holding.mustLetGo) return failed(error, parts);
    return run.reason instanceof DeliveryLostError ? deliveryLost(run.reason, parts) : { status: 'queued' };
  } finally {
    clearTimeout(timer);
    run.over(); // the dispatch message outlives it by two round trips or more
  }
}

/** Upgrades a stored payload to the definition's version. @returns the error of `upgrade` if it throws */
function inVersion(
  definition: JobDefinition,
  version: number,
  payload: unknown,
): { payload: unknown } | { fault: unknown } {
  if (version === definition.version || !definition.upgrade) return { payload };
  try {
    return { payload: definition.upgrade(payload, version) };
  } catch (error) {
    return { fault: error };
  }
}

function invalid(thrown: unknown, attempt: number): AttemptError {
  return { ...jobError('invalid-payload', thrown, attempt), stack: stackOf(thrown) };
}

/** Calls the handler. Rejects a while after the signal has fired if the handler still runs. */
function handle(
  payload: unknown,
  { handler, holding: { run }, context, abandonAfterMs = 2_000 }: AttemptParts,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    run.onAbort = (reason) => void setTimer(() => reject(reason), abandonAfterMs).unref();
    if (run.reason) run.onAbort(run.reason);
    Promise.resolve(handler(payload, context)).then(resolve, reject);
  });
}

/** Longest result: events contain the whole job, and RabbitMQ 4 accepts no message above 16 MiB. */
const MAX_RESULT_BYTES = 8 * 1024 * 1024;

/** A longer result, in characters, takes milliseconds to serialize, to store and to publish. */
const LARGE_RESULT = 64 * 1024;
/** Serializes large results, one in each turn of the event loop. */
const oneATurn = createOneATurn();

function written(result: unknown): string {
  const json = (JSON.stringify(result) as string | undefined) ?? 'null';
  if (json.length > LARGE_RESULT) oneATurn.take();
  return json;
}

function succeeded(definition: JobDefinition, returned: unknown, attempt: number): Outcome {
  const result = boundedParse(definition.result, returned);
  if (!result.success) return { status: 'failed', error: jobError('invalid-result', result.error, attempt) };
  const json = written(result.data);
  const bytes = Buffer.byteLength(json);
  if (bytes <= MAX_RESULT_BYTES) return { status: 'succeeded', result: result.data, json };
  const tooLarge = `the result is ${bytes} bytes of JSON; at most ${MAX_RESULT_BYTES} are kept`;
  return { status: 'failed', error: jobError('result-too-large', tooLarge, attempt) };
}

/** Longest delay that a handler may ask for: 30 days. */
const MAX_RETRY_AFTER_MS = 30 * 24 * 60 * 60 * 1000;

/** @param thrown the handler's error; for a timeout, its stack shows where the handler was */
function failed(error: unknown, { job, backoff }: AttemptParts, thrown = error): Outcome {
  if (is(error, SnoozeError)) return { status: 'scheduled', error: null, delayMs: bounded(error.delayMs) };
  const described = jobError(codeOf(error), error, job.attempt);
  const isOurs = is(thrown, TimeoutError) || is(thrown, DeliveryLostError);
  if (!isOurs) described.stack = stackOf(thrown);
  if (is(error, PermanentError)) return { status: 'failed', error: described };
  if (job.attempt >= job.maxAttempts) return { status: 'failed', error: described };
  const atLeastMs = is(error, RetryAfterError) ? bounded(error.retryAfterMs) : 0;
  // Snoozed and given back attempts are no failures. `errors` keeps the last 20 failures, so no more are counted.
  const delayMs = Math.max(retryDelayMs(backoff, job.errors.length + 1), atLeastMs);
  return { status: 'scheduled', error: described, delayMs };
}

function codeOf(error: unknown): string {
  if (is(error, PermanentError)) return 'permanent';
  if (is(error, TimeoutError)) return 'timeout';
  return is(error, DeliveryLostError) ? error.code : 'handler-error';
}

function deliveryLost(reason: DeliveryLostError, parts: AttemptParts): Outcome {
  const outcome = failed(reason, parts);
  return 'error' in outcome ? { ...outcome, deliveryLost: true } : outcome;
}

/** The delay that a handler asks for, within bounds: it may be any value. */
function bounded(ms: unknown): number {
  return typeof ms === 'number' && ms > 0 ? Math.min(ms, MAX_RETRY_AFTER_MS) : 0;
}

function jobError(code: string, error: unknown, attempt: number): AttemptError {
  const text = is(error, z.ZodError) ? issuesOf(error) : messageOf(error);
  return { code, message: storable(text, 2_000), attempt };
}

/** Describes the error of a handler. Handlers may throw any value, even one whose members throw. */
function is<Kind extends Error>(error: unknown, Kind: abstract new (...given: never[]) => Kind): error is Kind {
  try {
    return error instanceof Kind;
  } catch {
    return false;
  }
}

function messageOf(error: unknown): string {
  try {
    return String(is(error, Error) ? error.message : error);
  } catch {
    return 'threw something that can not be described';
  }
}

function issuesOf({ issues }: z.ZodError): string {
  return issues.map(({ path, message }) => `/${path.join('/')}: ${message}`).join('; ');
}
