import type { RequestHandler } from 'express';
import { Problem } from './problem.ts';

/** The allowed text of `Host`: a name or address, and a port (RFC 9110 section 7.2, RFC 3986 section 3.2.2). */
const HOST = /^[\w.~!$&'()*+,;=%:[\]-]*$/;

/**
 * Checks the head of each request by the rules of HTTP. Node.js would answer some of these faults without a body.
 *
 * - There is exactly one `Host` (RFC 9112 section 3.2).
 * - The only expectation is `100-continue`; others get 417 (RFC 9110 section 10.1.1).
 * - The only transfer coding is `chunked`.
 * - Only OPTIONS has the target `*`, and gets 204 (RFC 9110 section 9.3.7).
 */
export const requestHead: RequestHandler = (request, response, next) => {
  const { method, url, httpVersion, headersDistinct, headers } = request;
  if (request.httpVersionMajor !== 1) throw malformed(`HTTP/${httpVersion} is not supported`);
  if (httpVersion === '1.1') {
    const [host, ...more] = headersDistinct['host'] ?? [];
    if (host === undefined || more.length > 0 || !HOST.test(host))
      throw malformed('it must have exactly one Host header');
    if (headers.expect !== undefined && !/^100-continue$/i.test(headers.expect)) {
      throw new Problem(417, 'expectation-failed', 'The expectation is not met', 'Only 100-continue may be expected.', {
        headers: { Connection: 'close' }, // whether a body follows is not known
      });
    }
  }
  const coding = headers['transfer-encoding'];
  // An unknown coding hides where the request ends: later bytes might be another request (RFC 9112 section 6.1).
  if (coding !== undefined && (httpVersion === '1.0' || !/^chunked$/i.test(coding.trim()))) {
    throw malformed('chunked is the only transfer coding, and not in HTTP/1.0');
  }
  for (const name of ['authorization', 'content-type']) {
    if ((headersDistinct[name]?.length ?? 0) > 1) throw malformed(`it has more than one header ${name}`);
  }
  if (url === '*') {
    if (method !== 'OPTIONS') throw malformed('* is a target for OPTIONS only');
    return void response.status(204).end();
  }
  // GET and HEAD do not use a body (RFC 9110 section 9.3.1). Discard it: an unread body blocks the connection, and a
  // held answer would be cut as if its request were incomplete.
  if (method === 'GET' || method === 'HEAD') request.resume();
  next();
};

function malformed(detail: string): Problem {
  return new Problem(400, 'bad-request', 'The request cannot be read', detail, { headers: { Connection: 'close' } });
}

/**
 * Converts a target to origin form. A request to a proxy also names scheme and host, which servers must accept (RFC
 * 9112 section 3.2.2).
 */
export function originForm(target: string): string {
  const [, rest] = /^[a-z][a-z\d+.-]*:\/\/[^/?#]*(.*)$/is.exec(target) ?? [];
  if (rest === undefined) return target;
  return rest.startsWith('/') ? rest : `/${rest}`;
}
