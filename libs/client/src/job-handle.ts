import { jobOf, refusalOf, unexpected, type Answer } from './answer.ts';
import { typeOf, type Kind } from './definition.ts';
import { listDeliveries, type Delivery } from './deliveries.ts';
import { JobCancelledError, JobFailedError, UnexpectedAnswerError } from './errors.ts';
import type { Settings } from './options.ts';
import { request } from './request.ts';
import { type JobEvent, type Snapshot } from './snapshot.ts';
import { waitForJob, type WaitOptions } from './wait-for-job.ts';
import { watchJob } from './watch-job.ts';

/** Options of every call. */
export interface CallOptions {
  /** Aborts the call, which then rejects with the signal's reason. */
  signal?: AbortSignal;
}

/** One job, known by its id. A handle keeps no connection and no timer between calls. */
export interface JobHandle<Result = unknown> {
  readonly id: string;
  /** The job as the last call of this handle saw it; undefined before the first call. */
  readonly snapshot: Snapshot<Result> | undefined;
  /** `GET /v1/jobs/{id}`: reads the job again. An unchanged job is not sent again (`If-None-Match`). */
  refresh(options?: CallOptions): Promise<Snapshot<Result>>;
  /**
   * Resolves with the result when the job has succeeded.
   *
   * Rejects with JobFailedError or JobCancelledError. Rejects with WaitTimeoutError after `timeoutMs`; the job goes on.
   */
  wait(options?: WaitOptions): Promise<Result>;
  /**
   * Yields the job as it is, then each event of the job until it is finished. A broken stream is opened again. Leaving
   * the loop closes the stream. Throws the reason of a signal that fires.
   *
   * @example
   * for await (const { event, job } of handle.events()) console.log(event, job.progress);
   */
  events(options?: CallOptions): AsyncGenerator<JobEvent<Result>, void, undefined>;
  /**
   * Resolves with the cancelled job, or with the running job, whose worker gets the request. Rejects with 409
   * `job-finished`.
   */
  cancel(options?: CallOptions): Promise<Snapshot<Result>>;
  /**
   * Queues a failed or cancelled job again. Rejects with 409 `job-not-finished` for another. The request is not
   * repeated when its outcome is unknown: call `refresh` then.
   */
  retry(options?: CallOptions): Promise<Snapshot<Result>>;
  /** The webhook deliveries of the job, oldest first, with each attempt. */
  deliveries(options?: CallOptions): Promise<Delivery[]>;
  /** Deletes a finished job. Rejects with 409 when the job is not finished. */
  delete(options?: CallOptions): Promise<void>;
}

/** The handle of a job that the client has seen. */
export interface KnownJob<Result = unknown> extends JobHandle<Result> {
  readonly snapshot: Snapshot<Result>;
}

/** The handle of a job that this client has submitted. */
export interface SubmittedJob<Result = unknown> extends KnownJob<Result> {
  /** True if an unfinished job with the same dedupe key was there already, and this is its handle. */
  readonly deduplicated: boolean;
}

/** What the client knows of a job when it makes the handle. */
export interface Known {
  /** The expected definition or type: a job of another type makes calls reject. */
  kind?: Kind | undefined;
  snapshot?: Snapshot | undefined;
  /** @default false */
  deduplicated?: boolean | undefined;
}

/** Makes the handle of a job, without a request. */
export function createJobHandle<Result>(
  settings: Settings,
  id: string,
  known: Known,
): JobHandle<Result> & Pick<SubmittedJob, 'deduplicated'> {
  const url = new URL(`v1/jobs/${encodeURIComponent(id)}`, settings.baseUrl);
  let snapshot = known.snapshot as Snapshot<Result> | undefined; // `remember` checks that it has the type of `kind`
  let etag: string | null = null;

  /** Keeps the newer of two states by their version, because answers and events may overtake one another. */
  function remember(job: Snapshot): Snapshot<Result> {
    if (known.kind !== undefined && job.type !== typeOf(known.kind)) {
      throw new TypeError(`Job ${id} is a ${job.type}, not a ${typeOf(known.kind)}`);
    }
    if (!snapshot || job.version >= snapshot.version) snapshot = job as Snapshot<Result>;
    return snapshot;
  }

  async function look(holdSeconds: number, signal: AbortSignal | undefined): Promise<Answer> {
    const headers: Record<string, string> = etag === null ? {} : { 'if-none-match': etag };
    const expected = holdSeconds > 0 ? [200, 304, 429] : [200, 304];
    const answer = await request(settings, { method: 'GET', url, headers, holdSeconds, signal, expected });
    if (answer.status === 200) {
      remember(jobOf(answer));
      etag = answer.headers.get('etag');
    }
    return answer;
  }

  async function refresh({ signal }: CallOptions = {}): Promise<Snapshot<Result>> {
    const answer = await look(0, signal);
    if (!snapshot) throw unexpected(answer, '304 before any job');
    return snapshot;
  }

  async function order(what: 'cancel' | 'retry', { signal }: CallOptions): Promise<Snapshot<Result>> {
    const path = new URL(`${url.pathname}/${what}`, url);
    const repeat = what === 'cancel' ? 'freely' : 'unacted';
    return remember(
      jobOf(await request(settings, { method: 'POST', url: path, signal, repeat, expected: [200, 202] })),
    );
  }

  return {
    id,
    deduplicated: known.deduplicated ?? false,
    get snapshot() {
      return snapshot;
    },
    refresh,
    async wait(options = {}) {
      const job = await waitForJob({ id, snapshot: () => snapshot, look }, options);
      if (job.status === 'failed') throw new JobFailedError(job);
      if (job.status === 'cancelled') throw new JobCancelledError(job);
      return job.result as Result;
    },
    async *events({ signal } = {}) {
      const { links } = snapshot ?? (await refresh({ signal }));
      for await (const event of watchJob(settings, { url: eventsUrl(settings, links.events), signal })) {
        remember(event.job);
        yield event as JobEvent<Result>;
      }
    },
    cancel: (options = {}) => order('cancel', options),
    retry: (options = {}) => order('retry', options),
    deliveries: ({ signal } = {}) => listDeliveries(settings, url, signal),
    async delete({ signal } = {}) {
      const answer = await request(settings, { method: 'DELETE', url, signal, expected: [204, 404] });
      // Not found at a later attempt: an earlier attempt, whose answer was lost, has probably deleted the job.
      if (answer.status === 404 && answer.attempt === 1) throw refusalOf(answer);
    },
  };
}

/** @throws UnexpectedAnswerError when the link would send the API key without TLS */
function eventsUrl({ baseUrl, apiKey }: Settings, link: string): URL {
  const url = URL.canParse(link, baseUrl) ? new URL(link, baseUrl) : undefined;
  if (url?.protocol === 'https:' || (url?.protocol === 'http:' && (baseUrl.protocol === 'http:' || !apiKey)))
    return url;
  throw new UnexpectedAnswerError(`The job's events are at ${link}, where they can't be watched safely`, {
    status: 200,
    body: link,
  });
}
