import { pause } from './abort.ts';
import { jobOf, jobsOf, refusalOf, unexpected } from './answer.ts';
import { typeOf, type JobOptions, type Kind, type PayloadOf } from './definition.ts';
import { wholeNumber, type Settings } from './options.ts';
import { pauseAfter } from './repeat.ts';
import { request } from './request.ts';
import type { Snapshot } from './snapshot.ts';
import { MAX_HOLD_SECONDS } from './wait-for-job.ts';

/** What applies to one POST of jobs. */
export interface PostOptions {
  /**
   * 1 to 255 printable characters of ASCII. A POST with the key of an earlier one is answered as that was and makes no
   * job, for 24 hours: give one that can be repeated by another process. @default a UUID, new with each call
   */
  idempotencyKey?: string;
  /** Ends the call; the job may have been made or not. */
  signal?: AbortSignal;
}

export interface SubmitOptions extends JobOptions, PostOptions {
  /** Holds the answer until the job is finished, or so many seconds are over, 0 to 60 (RFC 7240). @default 0 */
  waitSeconds?: number;
}

/** One job of a batch, as `submit` takes it. */
export type BatchItem<K extends Kind> = readonly [kind: K, payload: PayloadOf<K>, options?: JobOptions];

/** A submitted job as the api answered it. */
export interface Submitted {
  readonly job: Snapshot;
  /** Whether it is an earlier job, still unfinished, with the same dedupe key. */
  readonly deduplicated: boolean;
}

/** `POST /v1/jobs`. Safe to repeat, by its Idempotency-Key: never makes two jobs. */
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
    // Too many requests are held already, which is no reason not to take the job.
    const pauseMs = pauseAfter(settings, 1, answer.headers);
    if (pauseMs === undefined) throw refusalOf(answer);
    await pause(pauseMs, signal);
    answer = await post(0, [200, 202]);
  }
  return { job: jobOf(answer), deduplicated: answer.headers.get('deduplicated') === 'true' };
}

/** `POST /v1/jobs/batch`: all of them or none, in the order given. Safe to repeat, too. */
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

/** As a string of structured fields (RFC 9651 section 4.1.6), which the IETF's Idempotency-Key draft asks for. */
function keyOf(given: string = crypto.randomUUID()): string {
  if (!/^[\x20-\x7e]{1,255}$/.test(given)) {
    throw new TypeError('idempotencyKey: must be 1 to 255 printable characters of ASCII');
  }
  return `"${given.replaceAll(/["\\]/g, '\\$&')}"`;
}
