import { pause } from './abort.ts';
import { jobOf, jobsOf, refusalOf, unexpected } from './answer.ts';
import { typeOf, type JobOptions, type Kind, type PayloadOf } from './definition.ts';
import { wholeNumber, type Settings } from './options.ts';
import { pauseAfter } from './repeat.ts';
import { request } from './request.ts';
import type { Snapshot } from './snapshot.ts';
import { MAX_HOLD_SECONDS } from './wait-for-job.ts';

/** Options of one request that submits jobs. */
export interface PostOptions {
  /**
   * 1 to 255 printable ASCII characters. For 24 hours, a request with the same key gets the answer of the first one and
   * makes no job. Set a key of your own if another process may repeat the request. @default a UUID, new with each call
   */
  idempotencyKey?: string;
  /** Aborts the call. The api may have made the job or not. */
  signal?: AbortSignal;
}

/** Options of `submit`. */
export interface SubmitOptions extends JobOptions, PostOptions {
  /** Seconds for which the api holds its answer until the job is finished, 0 to 60 (RFC 7240). @default 0 */
  waitSeconds?: number;
}

/** One job of a batch, with the arguments of `submit`. */
export type BatchItem<K extends Kind> = readonly [kind: K, payload: PayloadOf<K>, options?: JobOptions];

/** A submitted job as the api has answered it. */
export interface Submitted {
  readonly job: Snapshot;
  /** Whether this is an earlier, unfinished job with the same dedupe key. */
  readonly deduplicated: boolean;
}

/** `POST /v1/jobs`. The Idempotency-Key makes it safe to repeat: it never makes two jobs. */
export async function submitJob(
  settings: Settings,
  kind: Kind,
  payload: unknown,
  { waitSeconds = 0, idempotencyKey, signal, ...job }: SubmitOptions,
): Promise<Submitted> {
  wholeNumber('waitSeconds', waitSeconds, 0, MAX_HOLD_SECONDS);
  const headers = { 'idempotency-key': keyOf(idempotencyKey) };
  const body = JSON.stringify({ type: typeOf(kind), payload, ...job });
  const url = new URL('v1/jobs', settings.baseUrl);
  const post = (holdSeconds: number, expected: number[]) =>
    request(settings, { method: 'POST', url, headers, body, holdSeconds, signal, expected });

  let answer = await post(waitSeconds, waitSeconds > 0 ? [200, 202, 429] : [200, 202]);
  if (answer.status === 429) {
    // The api holds too many requests already. Submit the job without waiting for it.
    const pauseMs = pauseAfter(settings, 1, answer.headers);
    if (pauseMs === undefined) throw refusalOf(answer);
    await pause(pauseMs, signal);
    answer = await post(0, [200, 202]);
  }
  return { job: jobOf(answer), deduplicated: answer.headers.get('deduplicated') === 'true' };
}

/** `POST /v1/jobs/batch`: makes all jobs or none, in the given order. It is safe to repeat too. */
export async function submitJobs(
  settings: Settings,
  items: readonly BatchItem<Kind>[],
  { idempotencyKey, signal }: PostOptions,
): Promise<Snapshot[]> {
  const answer = await request(settings, {
    method: 'POST',
    url: new URL('v1/jobs/batch', settings.baseUrl),
    headers: { 'idempotency-key': keyOf(idempotencyKey) },
    body: JSON.stringify({ jobs: items.map(([kind, payload, job]) => ({ type: typeOf(kind), payload, ...job })) }),
    signal,
    expected: [200, 202],
  });
  const jobs = jobsOf(answer);
  if (jobs.length !== items.length) throw unexpected(answer, `${jobs.length} jobs for ${items.length}`);
  return jobs;
}

/**
 * Formats the key as a structured-field string (RFC 9651 section 4.1.6), as the IETF's Idempotency-Key draft requires.
 */
function keyOf(given: string = crypto.randomUUID()): string {
  if (!/^[\x20-\x7e]{1,255}$/.test(given)) {
    throw new TypeError('idempotencyKey: must be 1 to 255 printable characters of ASCII');
  }
  return `"${given.replaceAll(/["\\]/g, '\\$&')}"`;
}
