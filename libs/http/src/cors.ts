import cors from 'cors';
import type { RequestHandler } from 'express';
import { z } from 'zod';

/**
 * Headers that pages may send beside the safelisted ones
 * (https://fetch.spec.whatwg.org/#cors-safelisted-request-header).
 */
const requestHeaders = [
  ...['Authorization', 'Content-Encoding', 'Content-Type', 'Idempotency-Key', 'If-Match', 'If-None-Match'],
  ...['Last-Event-ID', 'Prefer', 'X-Request-Id', 'traceparent'],
];
/**
 * Headers that pages may read beside the safelisted ones
 * (https://fetch.spec.whatwg.org/#cors-safelisted-response-header-name).
 */
const responseHeaders = [
  ...['Accept', 'Accept-Encoding', 'Allow', 'Content-Location', 'Content-Range', 'Deduplicated', 'ETag'],
  ...['Idempotency-Replayed', 'Location', 'Preference-Applied', 'RateLimit', 'RateLimit-Policy', 'Retry-After'],
  ...['WWW-Authenticate', 'X-Request-Id'],
];
/** Seconds for which a browser may remember the answer to a preflight. Chromium accepts no more. */
const MAX_AGE_SECONDS = 7_200;

/**
 * Parses `CORS_ORIGINS`: origins as browsers send them (RFC 6454 section 6.2), separated by commas, or `*` alone for
 * any.
 */
export const corsOrigins = z.string().transform((text, context): string[] => {
  const origins = text.split(',').map((entry) => entry.trim());
  for (const origin of origins) {
    const fault = origin === '*' && origins.length === 1 ? null : faultOf(origin);
    if (fault !== null) context.addIssue(fault);
  }
  return [...new Set(origins)];
});

function faultOf(origin: string): string | null {
  if (origin === '*') return '"*" must stand alone';
  const url = /^[a-z][a-z\d+.-]*:\/\/[^\s/?#@*\\]+$/i.test(origin) && URL.canParse(origin) ? new URL(origin) : null;
  if (!url) return `"${origin}" is not an origin: write scheme://host or scheme://host:port`;
  // For schemes of applications with embedded pages, `URL` has no origin.
  const sent = url.origin === 'null' ? origin.toLowerCase() : url.origin;
  return sent === origin ? null : `"${origin}" is sent by browsers as ${sent}`;
}

/**
 * Lets pages of these origins call from a browser and read the answers, problems too, by CORS
 * (https://fetch.spec.whatwg.org/#http-cors-protocol). Credentials are not allowed, because no process uses cookies.
 *
 * A preflight (OPTIONS with `Origin` and `Access-Control-Request-Method`) gets 204 here on every path, before any check
 * of keys or limits. Requests of other origins are served without these headers, so the browser hides the answer from
 * the page.
 *
 * @param origins see {@link corsOrigins}. An empty list adds no header.
 */
export function allowOrigins(origins: readonly string[]): RequestHandler {
  if (origins.length === 0) return (_request, _response, next) => next();
  const isAny = origins.includes('*');
  const allowed = new Set(origins);
  const options = {
    origin: isAny ? '*' : true, // the request's own, which is in the set
    methods: ['GET', 'HEAD', 'POST', 'DELETE', 'OPTIONS'],
    allowedHeaders: requestHeaders,
    exposedHeaders: responseHeaders,
    maxAge: MAX_AGE_SECONDS,
  };
  const answerPreflight = cors(options);
  const addHeaders = cors({ ...options, preflightContinue: true });

  return (request, response, next) => {
    const origin = request.get('origin');
    if (!isAny) response.vary('Origin'); // without Origin too: a cache must not give that answer to a page
    if (!isAny && (origin === undefined || !allowed.has(origin))) return next();
    const asked = request.get('access-control-request-method');
    const isPreflight = request.method === 'OPTIONS' && origin !== undefined && asked !== undefined;
    (isPreflight ? answerPreflight : addHeaders)(request, response, next);
  };
}
