import type { Snapshot } from './snapshot.ts';

/** One fault of a request: its place and a description. */
export interface ProblemFault {
  /** RFC 6901 pointer into the body. */
  readonly pointer?: string;
  /** Name of a parameter of the path or the query. */
  readonly parameter?: string;
  /** Name of a header field. */
  readonly header?: string;
  readonly detail: string;
}

/** The members of a problem document (RFC 9457 section 3.1), with two header fields of its response. */
export interface ProblemMembers {
  /** @default 'about:blank' */
  readonly type: string;
  readonly status: number;
  readonly title: string;
  readonly detail: string | undefined;
  /** Path of the request that failed. */
  readonly instance: string | undefined;
  /** The faults of an invalid request; empty for other problems. */
  readonly errors: readonly ProblemFault[];
  /** `X-Request-Id`: the id of the request in the api's log. */
  readonly requestId: string | undefined;
  /** `Retry-After`, in milliseconds. */
  readonly retryAfterMs: number | undefined;
}

/** The api or a notifier refused a request with a problem document (RFC 9457). */
export class OffloadProblem extends Error implements ProblemMembers {
  override name = 'OffloadProblem';
  readonly code = 'problem';
  readonly type: string;
  /** The stable end of `type`, such as `job-not-found`, by which programs tell problems apart. */
  readonly slug: string;
  readonly status: number;
  readonly title: string;
  readonly detail: string | undefined;
  readonly instance: string | undefined;
  readonly errors: readonly ProblemFault[];
  readonly requestId: string | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(members: ProblemMembers) {
    const slug = members.type.split('/').at(-1) ?? '';
    super(`${members.status} ${slug}: ${members.detail ?? members.title}`);
    this.type = members.type;
    this.slug = slug;
    this.status = members.status;
    this.title = members.title;
    this.detail = members.detail;
    this.instance = members.instance;
    this.errors = members.errors;
    this.requestId = members.requestId;
    this.retryAfterMs = members.retryAfterMs;
  }
}

/**
 * The answer does not come from Offload, or is not the expected one: a proxy's page, a redirect, a body without a job.
 */
export class UnexpectedAnswerError extends Error {
  override name = 'UnexpectedAnswerError';
  readonly code = 'unexpected-answer';
  readonly status: number;
  /** The beginning of the body. */
  readonly body: string;
  readonly requestId: string | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(
    message: string,
    answer: { status: number; body: string; requestId?: string; retryAfterMs?: number; cause?: unknown },
  ) {
    super(message, { cause: answer.cause });
    this.status = answer.status;
    this.body = answer.body.slice(0, 2_000);
    this.requestId = answer.requestId;
    this.retryAfterMs = answer.retryAfterMs;
  }
}

/** There was no complete answer; `cause` says why. The api may have acted on the request or not. */
export class UnreachableError extends Error {
  override name = 'UnreachableError';
  readonly code = 'unreachable';
}

/** `wait` rejects with this when the job has failed; `job.error` says why. */
export class JobFailedError extends Error {
  override name = 'JobFailedError';
  readonly code = 'job-failed';
  readonly job: Snapshot;

  constructor(job: Snapshot) {
    super(`Job ${job.id} failed: ${job.error ? `${job.error.message} (${job.error.code})` : 'it has no error'}`);
    this.job = job;
  }
}

/** `wait` rejects with this when the job was cancelled. */
export class JobCancelledError extends Error {
  override name = 'JobCancelledError';
  readonly code = 'job-cancelled';
  readonly job: Snapshot;

  constructor(job: Snapshot) {
    super(`Job ${job.id} was cancelled`);
    this.job = job;
  }
}

/** `wait` rejects with this when its time is over. The job goes on. */
export class WaitTimeoutError extends Error {
  override name = 'WaitTimeoutError';
  readonly code = 'wait-timeout';
  /** The job as the client saw it last; undefined when it never saw the job. */
  readonly job: Snapshot | undefined;

  constructor(id: string, timeoutMs: number, job: Snapshot | undefined) {
    super(
      `Job ${id} was not finished within ${timeoutMs} ms: ${job ? `it is ${job.status}` : 'the client never saw it'}`,
    );
    this.job = job;
  }
}
