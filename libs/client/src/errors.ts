import type { Snapshot } from './snapshot.ts';

/** One fault of a request: where and what. */
export interface ProblemFault {
  /** RFC 6901 pointer into the body. */
  readonly pointer?: string;
  /** Name of a parameter of the path or the query. */
  readonly parameter?: string;
  /** Name of a header field. */
  readonly header?: string;
  readonly detail: string;
}

/** What a problem document says (RFC 9457 section 3.1), and what the answer's header fields add. */
export interface ProblemMembers {
  /** @default 'about:blank' */
  readonly type: string;
  readonly status: number;
  readonly title: string;
  readonly detail: string | undefined;
  /** Path of the request that it is about. */
  readonly instance: string | undefined;
  /** What is wrong with which member, where it is the request's fault; else empty. */
  readonly errors: readonly ProblemFault[];
  /** `X-Request-Id`: what the api's log calls the request. */
  readonly requestId: string | undefined;
  /** `Retry-After`, in milliseconds. */
  readonly retryAfterMs: number | undefined;
}

/** The api or a notifier said no, with a problem document (RFC 9457). */
export class OffloadProblem extends Error implements ProblemMembers {
  override name = 'OffloadProblem';
  readonly code = 'problem';
  readonly type: string;
  /** Ends `type`, such as `job-not-found`; stable, for programs to tell problems apart. */
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

/** What answered is not Offload, or not the one expected: a proxy's page, a redirect, a body that is no job. */
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

/** There was no answer, or only part of one: see `cause`. What was asked for may have been done or not. */
export class UnreachableError extends Error {
  override name = 'UnreachableError';
  readonly code = 'unreachable';
}

/** The job waited for has failed; `job.error` says why. */
export class JobFailedError extends Error {
  override name = 'JobFailedError';
  readonly code = 'job-failed';
  readonly job: Snapshot;

  constructor(job: Snapshot) {
    super(`Job ${job.id} failed: ${job.error ? `${job.error.message} (${job.error.code})` : 'without a word'}`);
    this.job = job;
  }
}

/** The job waited for was cancelled. */
export class JobCancelledError extends Error {
  override name = 'JobCancelledError';
  readonly code = 'job-cancelled';
  readonly job: Snapshot;

  constructor(job: Snapshot) {
    super(`Job ${job.id} was cancelled`);
    this.job = job;
  }
}

/** The time to wait is over; the job goes on. */
export class WaitTimeoutError extends Error {
  override name = 'WaitTimeoutError';
  readonly code = 'wait-timeout';
  /** As it was seen last, if it was. */
  readonly job: Snapshot | undefined;

  constructor(id: string, timeoutMs: number, job: Snapshot | undefined) {
    super(`Job ${id} was not finished within ${timeoutMs} ms: ${job ? `it is ${job.status}` : 'it was never seen'}`);
    this.job = job;
  }
}
