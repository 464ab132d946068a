import type { ErrorRequestHandler, Request } from 'express';
import { type Logger, setTimer } from '@offload/process';
import { clipped, Problem, problemDetails } from './problem.ts';

/**
 * Interval between log lines while the database is away, in milliseconds: every request then fails for the same reason.
 */
const AWAY_LOG_MS = 5_000;

/** Headers that a route has set for its own answer. A problem replaces that answer and must not carry them. */
const OF_ANOTHER_ANSWER = ['ETag', 'Content-Location', 'Location', 'Deduplicated', 'Idempotency-Replayed'];

/** Answers every thrown error as a problem. An error without a known code is logged and answered as a bare 500. */
export function problemHandler(log: Logger): ErrorRequestHandler {
  let awayLoggedAt = -Infinity;
  return (error, request, response, next) => {
    const problem = error instanceof Problem ? error : (fromCode(error) ?? fromExpress(error) ?? unexpected(error));
    const about = { err: error, requestId: response.get('x-request-id') };
    if (problem.slug === 'internal-error') log.error(about, 'failed');
    if (problem.slug === 'database-unavailable' && performance.now() - awayLoggedAt >= AWAY_LOG_MS) {
      awayLoggedAt = performance.now();
      log.warn(about, 'answered 503: the database is not available');
    }
    if (response.headersSent) return next(error); // express cuts the connection
    function send(): void {
      for (const name of OF_ANOTHER_ANSWER) response.removeHeader(name);
      response
        .status(problem.status)
        .set({ ...problem.headers, 'Cache-Control': 'no-store' })
        .type('application/problem+json')
        .send(problemDetails(problem, request.originalUrl));
    }
    const isStillSent = !request.complete && request.headers.expect === undefined;
    if (isStillSent && !response.shouldKeepAlive) discard(request, send);
    else send();
  };
}

/** Milliseconds for which the unread rest of a body is read and discarded. */
const DISCARD_MS = 1_000;

/**
 * Reads and discards the rest of a body for a while. Without this, a client that still sends might not see the answer:
 * TCP discards the answer when a connection is closed with unread bytes.
 */
function discard(request: Request, answer: () => void): void {
  const late = setTimer(finish, DISCARD_MS);
  function finish(): void {
    clearTimeout(late);
    request.off('end', finish).off('close', finish);
    answer();
  }
  request.once('end', finish).once('close', finish).resume();
}

type Told = [status: number, slug: string, title: string, more?: { detail?: string; headers?: Record<string, string> }];

/** The problems of the libraries' errors, by their `code`. */
const ofCode: Record<string, Told> = {
  'database-unavailable': [
    503,
    'database-unavailable',
    'Try again soon',
    { detail: 'The database cannot do this now.', headers: { 'Retry-After': '1' } },
  ],
};

function fromCode(error: unknown): Problem | null {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: string };
  return typeof code === 'string' && Object.hasOwn(ofCode, code) ? told(ofCode[code] as Told, message, error) : null;
}

/** Problems of Express, which serves files with preconditions and ranges (RFC 9110 sections 13.1 and 14.2). */
const ofStatus: Record<number, [slug: string, title: string]> = {
  412: ['precondition-failed', 'A precondition is not met'],
  416: ['range-not-satisfiable', 'There is no such range'],
};

/**
 * The problem of an Express error that is the client's fault: it has a status below 500, as for an undecodable path.
 */
function fromExpress(error: unknown): Problem | null {
  const { status, message } = (error ?? {}) as { status?: unknown; message?: string };
  if (typeof status !== 'number' || status < 400 || status > 499) return null;
  const [slug, title] = ofStatus[status] ?? ['bad-request', 'The request cannot be read'];
  const { headers } = error as { headers?: Record<string, string> };
  return told([status, slug, title, { ...(headers && { headers }) }], message, error);
}

function told([status, slug, title, more]: Told, message: string | undefined, cause: unknown): Problem {
  const { detail = clipped(message ?? title), headers = {} } = more ?? {};
  return new Problem(status, slug, title, detail, { headers, cause });
}

function unexpected(cause: unknown): Problem {
  return new Problem(500, 'internal-error', 'Internal server error', 'The log has the error, with this request id.', {
    cause,
  });
}
