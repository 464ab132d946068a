import type { RequestHandler } from 'express';
import { rateLimit } from 'express-rate-limit';
import { callerOf } from './access.ts';
import { Problem } from '@offload/http';

const WINDOW_MS = 60_000;

/**
 * At most so many requests of a caller (see `callerOf`) in a minute, which begins with its first. Behind `authenticate`.
 *
 * Says in `RateLimit` and `RateLimit-Policy` what is left (draft-ietf-httpapi-ratelimit-headers-08), and answers what is
 * beyond with 429 `rate-limited` and `Retry-After` in seconds (RFC 6585 section 4).
 *
 * Counted in this process's memory: each process counts for itself, and a new one from nothing. A limit over several needs
 * a proxy in front.
 *
 * @param perMinute 0 is no limit, and no header either
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
      next(new Problem(429, 'rate-limited', 'Too many requests', detail)); // with Retry-After, which is set already
    },
  });
}
