import type { ErrorRequestHandler, RequestHandler } from 'express';
import type { z } from 'zod';
import type { Logger } from './logger.ts';

/** One fault of a request: where, as an RFC 6901 pointer into the body or the name of a parameter, and what. */
export type Fault = ({ pointer: string } | { parameter: string }) & { detail: string };

/** An error that is the client's to see: RFC 9457 problem details, `application/problem+json`. */
export class Problem extends Error {
  override name = 'Problem';
  readonly status: number;
  /** Ends the `type` URI, `/problems/<slug>`; stable. */
  readonly slug: string;
  readonly title: string;
  readonly errors: Fault[] | undefined;
  readonly headers: Record<string, string>;

  constructor(
    status: number,
    slug: string,
    title: string,
    detail: string,
    more: { errors?: Fault[]; headers?: Record<string, string>; cause?: unknown } = {},
  ) {
    super(detail, { cause: more.cause });
    this.status = status;
    this.slug = slug;
    this.title = title;
    this.errors = more.errors;
    this.headers = more.headers ?? {};
  }
}

/** So many faults are told: a large body of rubbish must not make a larger answer. */
const MOST_FAULTS = 50;

function badRequest(all: Fault[]): Problem {
  const errors = all.slice(0, MOST_FAULTS);
  const names = errors.map((fault) => ('pointer' in fault ? fault.pointer || 'the body' : fault.parameter));
  const detail = errors.map((fault, index) => `${names[index]}: ${fault.detail}`).join('; ');
  return new Problem(400, 'invalid-request', 'The request is not valid', detail, { errors });
}

/** 400 with a pointer for each fault zod found in the body, or in the part of it at `prefix`. */
export function invalidBody(error: z.ZodError, prefix = ''): Problem {
  return badRequest(
    error.issues.flatMap((issue): Fault[] => {
      const pointer = prefix + issue.path.map((step) => `/${escapePointer(String(step))}`).join('');
      if (issue.code !== 'unrecognized_keys') return [{ pointer, detail: issue.message }];
      return issue.keys.map((key) => ({
        pointer: `${pointer}/${escapePointer(key)}`,
        detail: 'is not a known member',
      }));
    }),
  );
}

/** 400 with the name of each parameter of the path or the query that zod found fault with. */
export function invalidParameters(error: z.ZodError): Problem {
  return badRequest(
    error.issues.flatMap((issue): Fault[] => {
      if (issue.code !== 'unrecognized_keys') return [{ parameter: String(issue.path[0]), detail: issue.message }];
      return issue.keys.map((key) => ({ parameter: key, detail: 'is not a known parameter' }));
    }),
  );
}

/** 400 for one member of the body, found at fault by other means than its schema. */
export function invalidMember(pointer: string, detail: string): Problem {
  return badRequest([{ pointer, detail }]);
}

/** 405 for the methods a path does not have (RFC 9110 section 15.5.6). */
export function methodNotAllowed(allow: string): RequestHandler {
  return (request) => {
    const detail = `${request.method} is not allowed here; allowed: ${allow}`;
    throw new Problem(405, 'method-not-allowed', 'Method not allowed', detail, { headers: { Allow: allow } });
  };
}

export const notFound: RequestHandler = (request) => {
  throw new Problem(404, 'not-found', 'Not found', `There is nothing at ${request.path}`);
};

/** Says everything that was thrown as a problem; what is nobody's known fault is logged and said as a bare 500. */
export function problemHandler(log: Logger): ErrorRequestHandler {
  return (error, request, response, next) => {
    const problem = error instanceof Problem ? error : (fromCode(error) ?? fromExpress(error) ?? unexpected(error));
    if (problem.slug === 'internal-error') log.error({ err: error, requestId: response.get('x-request-id') }, 'failed');
    if (response.headersSent) return next(error); // express cuts the connection
    response
      .status(problem.status)
      .set(problem.headers)
      .type('application/problem+json')
      .send(
        JSON.stringify({
          type: `/problems/${problem.slug}`,
          title: problem.title,
          status: problem.status,
          detail: problem.message,
          instance: request.originalUrl,
          ...(problem.errors && { errors: problem.errors }),
        }),
      );
  };
}

/** Errors of the libraries, by their `code`. */
function fromCode(error: unknown): Problem | null {
  switch ((error as { code?: unknown }).code) {
    case 'database-unavailable':
      return new Problem(503, 'database-unavailable', 'Try again soon', 'The database cannot be reached now.', {
        headers: { 'Retry-After': '1' },
        cause: error,
      });
    default:
      return null;
  }
}

const ofBodyParser: Record<string, [slug: string, title: string, status?: number]> = {
  'entity.verify.failed': ['malformed-json', 'The body is not JSON', 400],
  'entity.parse.failed': ['malformed-json', 'The body is not JSON'],
  'entity.too.large': ['body-too-large', 'The body is too large'],
  'encoding.unsupported': ['unsupported-media-type', 'The content encoding is not supported'],
  'charset.unsupported': ['unsupported-media-type', 'The character set is not supported'],
};

/** Express and its body parser mark what is the client's fault with a status below 500. */
function fromExpress(error: unknown): Problem | null {
  const { status, type, message } = error as { status?: number; type?: string; message?: string };
  if (status === undefined || status < 400 || status > 499) return null;
  const [slug, title, better = status] = ofBodyParser[type ?? ''] ?? ['bad-request', 'The request cannot be read'];
  return new Problem(better, slug, title, message ?? title, { cause: error });
}

function unexpected(cause: unknown): Problem {
  return new Problem(500, 'internal-error', 'Something went wrong here', 'The fault is logged.', { cause });
}

function escapePointer(step: string): string {
  return step.replaceAll('~', '~0').replaceAll('/', '~1');
}
