import type { RequestHandler } from 'express';
import { rateLimit } from 'express-rate-limit';
import { callerOf } from './access.ts';
import { Problem } from '@offload/http';

const WINDOW_MS = 60_000;

/**
 * Makes middleware that limits the requests of each caller (see `callerOf`) in a minute. The minute begins with the
 * caller's first request. It must run after `authenticate`.
 *
 * The headers `RateLimit` and `RateLimit-Policy` say what is left (draft-ietf-httpapi-ratelimit-headers-08). A request
 * beyond the limit gets 429 `rate-limited` with `Retry-After` in seconds (RFC 6585 section 4).
 *
 * Each process counts in its own memory and starts from zero. A limit over several processes needs a proxy in front.
 *
 * @param perMinute most requests of a caller in a minute; 0 means no limit and no headers
 */
export function limitRate({ perMinute }: { perMinute: number }): RequestHandler {
  if (perMinute === 0) return (_request, _response, next) => next();
  return rateLimit({
    windowMs: WINDOW_MS,
    limit: perMinute,
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    keyGenerator: (_request, response) => callerOf(response),
    handler: (_request, _response, next) => {
      const detail = `A client may send ${perMinute} requests a minute.`;
      next(new Problem(429, 'rate-limited', 'Too many requests', detail)); // the response has Retry-After already
    },
  });
}
