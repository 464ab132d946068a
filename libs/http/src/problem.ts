import type { RequestHandler } from 'express';
import type { z } from 'zod';
import { withoutToken } from './token-parameter.ts';

/** One fault of a request. Its place is an RFC 6901 pointer into the body, or the name of a parameter or header. */
export type Fault = ({ pointer: string } | { parameter: string } | { header: string }) & { detail: string };

/**
 * An error whose text the client may read. The service answers it as RFC 9457 problem details,
 * `application/problem+json`.
 *
 * @example
 * throw new Problem(404, 'job-not-found', 'Job not found', `There is no job ${id}.`);
 */
export class Problem extends Error {
  override name = 'Problem';
  readonly status: number;
  /** The stable end of the `type` URI, `/problems/<slug>`. */
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

/** Most faults that an answer lists: a large malformed body must not cause a larger answer. */
const MOST_FAULTS = 50;
/** Most characters of the client's own text that an answer repeats. */
const LONGEST_ECHO = 500;
const LONGEST_INSTANCE = 2_000;

function badRequest(all: Fault[]): Problem {
  const errors = all.slice(0, MOST_FAULTS);
  const names = errors.map(nameOf);
  const detail = errors.map((fault, index) => `${names[index]}: ${fault.detail}`).join('; ');
  return new Problem(400, 'invalid-request', 'The request is not valid', detail, { errors });
}

function nameOf(fault: Fault): string {
  if ('pointer' in fault) return fault.pointer || 'the body';
  return 'parameter' in fault ? fault.parameter : fault.header;
}

/** Makes Problem 400 with a pointer for each fault that zod found in the body, or in its part at `prefix`. */
export function invalidBody(error: z.ZodError, prefix = ''): Problem {
  return badRequest(
    error.issues.flatMap((issue): Fault[] => {
      const path = issue.path.map(String);
      if (issue.code !== 'unrecognized_keys') return [{ pointer: prefix + pointerTo(path), detail: issue.message }];
      return issue.keys.slice(0, MOST_FAULTS).map((key) => ({
        pointer: prefix + pointerTo([...path, key]),
        detail: 'is not a known member',
      }));
    }),
  );
}

/** Makes Problem 400 with the name of each path or query parameter in which zod found a fault. */
export function invalidParameters(error: z.ZodError): Problem {
  return badRequest(
    error.issues.flatMap((issue): Fault[] => {
      if (issue.code !== 'unrecognized_keys') return [{ parameter: String(issue.path[0]), detail: issue.message }];
      return issue.keys
        .slice(0, MOST_FAULTS)
        .map((key) => ({ parameter: clipped(key), detail: 'is not a known parameter' }));
    }),
  );
}

/** Makes Problem 400 for a header field that cannot be read. */
export function invalidHeader(header: string, detail: string): Problem {
  return badRequest([{ header, detail }]);
}

/** Makes Problem 400 for one member of the body that fails a check beyond its schema. */
export function invalidMember(pointer: string, detail: string): Problem {
  return badRequest([{ pointer, detail }]);
}

/** Makes an RFC 6901 pointer. A pointer that is too long to repeat ends at the last array or object that fits. */
export function pointerTo(path: readonly (string | number)[]): string {
  let pointer = '';
  for (const step of path) {
    const longer = `${pointer}/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`;
    if (longer.length > LONGEST_ECHO) break;
    pointer = longer;
  }
  return pointer;
}

/**
 * Answers the methods that a path does not have. Use it as the last handler of a route, in `.all`. OPTIONS gets 204
 * with `Allow` (RFC 9110 section 9.3.7), the others get 405 (section 15.5.6).
 *
 * @param allow the allowed methods, as in `GET, HEAD`. OPTIONS is added.
 */
export function methodNotAllowed(allow: string): RequestHandler {
  const headers = { Allow: `${allow}, OPTIONS` };
  return (request, response) => {
    if (request.method === 'OPTIONS') return void response.status(204).set(headers).end();
    const detail = `${request.method} is not allowed here; allowed: ${headers.Allow}`;
    throw new Problem(405, 'method-not-allowed', 'Method not allowed', detail, { headers });
  };
}

/** Answers 404 `not-found`. Use it as the last handler of an application. */
export const notFound: RequestHandler = (request) => {
  throw new Problem(404, 'not-found', 'Not found', `There is nothing at ${clipped(request.path)}`);
};

/**
 * The JSON body of an answer with this problem (RFC 9457 section 3.1).
 *
 * @param target the request's target. It becomes the `instance`, without event tokens, and is cut if it is longer than
 *   any path of Offload.
 */
export function problemDetails(problem: Problem, target: string): string {
  const instance = withoutToken(target);
  return JSON.stringify({
    type: `/problems/${problem.slug}`,
    title: problem.title,
    status: problem.status,
    detail: problem.message,
    instance: uriReference(
      instance.length > LONGEST_INSTANCE ? instance.slice(0, LONGEST_INSTANCE).replace(/%.?$/, '') : instance,
    ),
    ...(problem.errors && { errors: problem.errors }),
  });
}

/** Encodes all characters that a URI cannot have (RFC 3986 section 2): a target may be any bytes. */
function uriReference(target: string): string {
  const encoded = (character: string): string =>
    `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
  return target.replace(/%(?![0-9a-f]{2})|[^\x21-\x7e]|["#<>[\\\]^`{|}]/gi, encoded);
}

/** Shortens the client's own text to what an answer may repeat. */
export function clipped(text: string): string {
  return text.length > LONGEST_ECHO ? `${text.slice(0, LONGEST_ECHO)}…` : text;
}
