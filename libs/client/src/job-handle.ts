import { jobOf, refusalOf, unexpected, type Answer } from './answer.ts';
import { typeOf, type Kind } from './definition.ts';
import { listDeliveries, type Delivery } from './deliveries.ts';
import { JobCancelledError, JobFailedError, UnexpectedAnswerError } from './errors.ts';
import type { Settings } from './options.ts';
import { request } from './request.ts';
import { type JobEvent, type Snapshot } from './snapshot.ts';
import { waitForJob, type WaitOptions } from './wait-for-job.ts';
import { watchJob } from './watch-job.ts';

export interface CallOptions {
  /** Ends the call, which then rejects with the signal's reason. */
  signal?: AbortSignal;
}

/** One job, by its id. Keeps no connection and no timer of its own. */
export interface JobHandle<Result = unknown> {
  readonly id: string;
  /** The job as it was seen last by any call of this handle; undefined before the first. */
  readonly snapshot: Snapshot<Result> | undefined;
  /** Looks at the job; costs little when it has not changed (`If-None-Match`). */
  refresh(options?: CallOptions): Promise<Snapshot<Result>>;
  /**
   * Resolves with the result once the job has succeeded, at once when it was seen to have.
   *
   * Rejects with JobFailedError, JobCancelledError, or WaitTimeoutError, which says nothing about the job.
   */
  wait(options?: WaitOptions): Promise<Result>;
  /**
   * The job as it is, then whatever happens to it, until it is finished. Connects again by itself. Leaving the loop
   * closes the stream; a signal that fires is thrown.
   */
  events(options?: CallOptions): AsyncGenerator<JobEvent<Result>, void, undefined>;
  /** Resolves with the cancelled job, or with the running one whose worker is told. Rejects with 409 `job-finished`. */
  cancel(options?: CallOptions): Promise<Snapshot<Result>>;
  /**
   * Runs a failed or cancelled job again; else 409 `job-not-finished`. Not repeated when it is unknown what became of
   * the request: look at the job then.
   */
  retry(options?: CallOptions): Promise<Snapshot<Result>>;
  /** The job's webhooks, those that are pending and those that were, oldest first, with each attempt. */
  deliveries(options?: CallOptions): Promise<Delivery[]>;
  /** Removes a finished job; 409 when it is not. */
  delete(options?: CallOptions): Promise<void>;
}

/** A job that has been seen. */
export interface KnownJob<Result = unknown> extends JobHandle<Result> {
  readonly snapshot: Snapshot<Result>;
}

/** A job that this client has submitted. */
export interface SubmittedJob<Result = unknown> extends KnownJob<Result> {
  /** Whether it was there already, unfinished, with the same dedupe key. */
  readonly deduplicated: boolean;
}

/** What the maker of a handle knows of the job. */
export interface Known {
  /** Whatever is seen must be of it. */
  kind?: Kind | undefined;
  snapshot?: Snapshot | undefined;
  /** @default false */
  deduplicated?: boolean | undefined;
}

export function createJobHandle<Result>(
  settings: Settings,
  id: string,
  known: Known,
): JobHandle<Result> & Pick<SubmittedJob, 'deduplicated'> {
  const url = new URL(`v1/jobs/${encodeURIComponent(id)}`, settings.baseUrl);
  let snapshot = known.snapshot as Snapshot<Result> | undefined; // as the kind says, which is checked when it is seen
  let etag: string | null = null;

  /** Answers and events may overtake one another; the version says which is newer. */
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
    if (!snapshot) throw unexpected(answer, 'a job that was never shown');
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
      // At a later attempt it was perhaps the first one that removed it; gone it is.
      if (answer.status === 404 && answer.attempt === 1) throw refusalOf(answer);
    },
  };
}

/** @throws UnexpectedAnswerError when the key would leave TLS there */
function eventsUrl({ baseUrl, apiKey }: Settings, link: string): URL {
  const url = URL.canParse(link, baseUrl) ? new URL(link, baseUrl) : undefined;
  if (url?.protocol === 'https:' || (url?.protocol === 'http:' && (baseUrl.protocol === 'http:' || !apiKey)))
    return url;
  throw new UnexpectedAnswerError(`The job's events are at ${link}, where they can't be watched safely`, {
    status: 200,
    body: link,
  });
}
