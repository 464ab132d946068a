import type { RequestHandler } from 'express';
import { Problem } from './problem.ts';

/** What may stand in `Host`: a name or address, and a port (RFC 9110 section 7.2, RFC 3986 section 3.2.2). */
const HOST = /^[\w.~!$&'()*+,;=%:[\]-]*$/;

/**
 * What HTTP asks of a request whatever its path is: exactly one `Host` (RFC 9112 section 3.2), no expectation but
 * `100-continue` (RFC 9110 section 10.1.1; 417), no transfer coding but `chunked`, and the target `*` for OPTIONS only (section 9.3.7;
 * 204). Node.js would
 * answer some of it itself, without a body.
 */
export const requestHead: RequestHandler = (request, response, next) => {
  const { method, url, httpVersion, headersDistinct, headers } = request;
  if (request.httpVersionMajor !== 1) throw malformed(`HTTP/${httpVersion} is not spoken here`);
  if (httpVersion === '1.1') {
    const [host, ...more] = headersDistinct['host'] ?? [];
    if (host === undefined || more.length > 0 || !HOST.test(host)) throw malformed('it must have one header Host');
    if (headers.expect !== undefined && !/^100-continue$/i.test(headers.expect)) {
      throw new Problem(417, 'expectation-failed', 'The expectation is not met', 'Only 100-continue may be expected.', {
        headers: { Connection: 'close' }, // whether a body follows is not known
      });
    }
  }
  const coding = headers['transfer-encoding'];
  // Who is not understood may mean another request by what follows (RFC 9112 section 6.1).
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
  // These have no use for a body (RFC 9110 section 9.3.1). Left unread it would hold the connection back, and a held answer
  // would be cut as if its request had never come to its end.
  if (method === 'GET' || method === 'HEAD') request.resume();
  next();
};

function malformed(detail: string): Problem {
  return new Problem(400, 'bad-request', 'The request cannot be read', detail, { headers: { Connection: 'close' } });
}

/**
 * A target in origin form: a request to a proxy names scheme and host too, and servers must take that (RFC 9112 section
 * 3.2.2).
 */
export function originForm(target: string): string {
  const [, rest] = /^[a-z][a-z\d+.-]*:\/\/[^/?#]*(.*)$/is.exec(target) ?? [];
  if (rest === undefined) return target;
  return rest.startsWith('/') ? rest : `/${rest}`;
}
