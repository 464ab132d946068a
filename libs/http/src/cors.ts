import cors from 'cors';
import type { RequestHandler } from 'express';
import { z } from 'zod';

/** What pages may send beside what every page may (https://fetch.spec.whatwg.org/#cors-safelisted-request-header). */
const requestHeaders = [
  ...['Authorization', 'Content-Encoding', 'Content-Type', 'Idempotency-Key', 'If-Match', 'If-None-Match'],
  ...['Last-Event-ID', 'Prefer', 'X-Request-Id', 'traceparent'],
];
/** What pages may read beside what every page may (https://fetch.spec.whatwg.org/#cors-safelisted-response-header-name). */
const responseHeaders = [
  ...['Accept', 'Accept-Encoding', 'Allow', 'Content-Location', 'Content-Range', 'Deduplicated', 'ETag'],
  ...['Idempotency-Replayed', 'Location', 'Preference-Applied', 'RateLimit', 'RateLimit-Policy', 'Retry-After'],
  ...['WWW-Authenticate', 'X-Request-Id'],
];
/** For how long a browser need not ask again, in seconds; Chromium takes no more. */
const MAX_AGE_SECONDS = 7_200;

/** `CORS_ORIGINS`: origins as browsers send them (RFC 6454 section 6.2), separated by commas; or `*` alone, which is any. */
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
  if (!url) return `"${origin}" is no origin: scheme://host or scheme://host:port, and nothing behind`;
  // For other schemes, of applications that are pages inside, URL tells no origin.
  const sent = url.origin === 'null' ? origin.toLowerCase() : url.origin;
  return sent === origin ? null : `"${origin}" is sent by browsers as ${sent}`;
}

/**
 * Lets pages of these origins call from a browser, and read the answers, problems too: CORS
 * (https://fetch.spec.whatwg.org/#http-cors-protocol), without credentials, since there are no cookies.
 *
 * A preflight (OPTIONS with `Origin` and `Access-Control-Request-Method`) is answered 204 here, before anybody asks for a key
 * or counts, whatever its path. Requests of other origins are served like those of no browser: without these headers, so
 * that the browser keeps the answer from the page.
 *
 * @param origins see {@link corsOrigins}; none: no header is ever added
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
    if (!isAny) response.vary('Origin'); // for who has none too: a cache must not give its answer to a page
    if (!isAny && (origin === undefined || !allowed.has(origin))) return next();
    const asked = request.get('access-control-request-method');
    const isPreflight = request.method === 'OPTIONS' && origin !== undefined && asked !== undefined;
    (isPreflight ? answerPreflight : addHeaders)(request, response, next);
  };
}
