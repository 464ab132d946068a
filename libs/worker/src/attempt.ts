import type { Job } from '@offload/jobs';
import { boundedParse, type Backoff, type JobDefinition } from '@offload/jobs/definitions';
import type { AttemptError, Outcome } from '@offload/database';
import { DeliveryLostError } from '@offload/messaging';
import { createOneATurn, setTimer } from '@offload/process';
import { z } from 'zod';
import { retryDelayMs } from './backoff.ts';
import { PermanentError, RetryAfterError, SnoozeError, type Handler, type HandlerContext } from './handler.ts';
import type { Holding } from './held-jobs.ts';
import { stackOf } from './stack-of.ts';
import { storable } from './storable.ts';

export interface AttemptParts {
  job: Job;
  /** The version that took the job's payload: that of the definition, or an older one. */
  typeVersion: number;
  definition: JobDefinition;
  handler: Handler<JobDefinition>;
  timeoutMs: number;
  backoff: Backoff;
  /** How long the handler may take to obey its signal before its run is abandoned, in milliseconds. @default 2_000 */
  abandonAfterMs?: number;
  /** The dispatch message of the job. */
  holding: Pick<Holding, 'run' | 'cancelled' | 'mustLetGo'>;
  context: HandlerContext;
}

/** A timeout that fires so late was held up together with everything else here, in milliseconds. */
const FROZEN_MS = 500;
/** What has arrived meanwhile is heard in so long, in milliseconds. */
const HEAR_MS = 250;

/** Ends a run that took longer than its job's timeout. */
class TimeoutError extends Error {
  override name = 'TimeoutError';
}

/**
 * One run of a handler, from payload to outcome. Never rejects.
 *
 * The payload is checked again, since the row may be older than this worker's code. A run that must let go is given
 * back without using up the attempt, unless it finishes first; so is one whose delivery was lost on an open connection,
 * but only for the first times in a row, as the database counts them. What a handler does after its timeout, or after
 * its job was cancelled, counts no more.
 */
export async function attempt(parts: AttemptParts): Promise<Outcome> {
  const { job, typeVersion, definition, timeoutMs, holding } = parts;
  const { run } = holding;
  if (holding.cancelled) return { status: 'cancelled' };
  if (holding.mustLetGo) return { status: 'queued' };

  const dueAt = performance.now() + timeoutMs;
  let timer = setTimer(expire, timeoutMs);
  /** When it is late this process was frozen, and hears first whether the broker has taken the delivery back. */
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

/** A payload that was stored under a version, as the definition has it now; or what its `upgrade` threw. */
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

/** Calls the handler; rejects a while after its signal has fired, if it does not obey that. */
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

/** A job travels whole in its events, and RabbitMQ 4 takes no message above 16 MiB. */
const MAX_RESULT_BYTES = 8 * 1024 * 1024;

/** A result that is longer, in characters, takes milliseconds to write, to store and to announce. */
const LARGE_RESULT = 64 * 1024;
/** Writes large results: the next comes in another turn. */
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

/** No handler may put its job off for ever: 30 days. */
const MAX_RETRY_AFTER_MS = 30 * 24 * 60 * 60 * 1000;

/** @param thrown what the handler threw: of a run that took too long it tells where that was */
function failed(error: unknown, { job, backoff }: AttemptParts, thrown = error): Outcome {
  if (is(error, SnoozeError)) return { status: 'scheduled', error: null, delayMs: bounded(error.delayMs) };
  const described = jobError(codeOf(error), error, job.attempt);
  const isOurs = is(thrown, TimeoutError) || is(thrown, DeliveryLostError);
  if (!isOurs) described.stack = stackOf(thrown);
  if (is(error, PermanentError)) return { status: 'failed', error: described };
  if (job.attempt >= job.maxAttempts) return { status: 'failed', error: described };
  const atLeastMs = is(error, RetryAfterError) ? bounded(error.retryAfterMs) : 0;
  // Attempts that were not used up (snoozed, given back) are no failures. Beyond the 20 that are kept none is counted.
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

/** A handler's delay, whatever it may be. */
function bounded(ms: unknown): number {
  return typeof ms === 'number' && ms > 0 ? Math.min(ms, MAX_RETRY_AFTER_MS) : 0;
}

function jobError(code: string, error: unknown, attempt: number): AttemptError {
  const text = is(error, z.ZodError) ? issuesOf(error) : messageOf(error);
  return { code, message: storable(text, 2_000), attempt };
}

/** Handlers may throw anything, also what can't even be looked at. */
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
