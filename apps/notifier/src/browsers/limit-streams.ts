import { callerOf } from '@offload/access';
import { Problem } from '@offload/http';
import type { RequestHandler } from 'express';

/**
 * At most so many event streams of a caller (see `callerOf`) at once, of all routes that it stands before; more get 429
 * `too-many-streams`. Counted in this process's memory. Behind `authenticateWatcher`.
 */
export function limitStreams(most: number): RequestHandler {
  const open = new Map<string, number>();
  return (_request, response, next) => {
    if (response.destroyed) return; // the client has left while its token was looked at
    const caller = callerOf(response);
    const count = open.get(caller) ?? 0;
    if (count >= most) throw tooMany(most);
    open.set(caller, count + 1);
    response.once('close', () => {
      const left = (open.get(caller) as number) - 1;
      if (left > 0) open.set(caller, left);
      else open.delete(caller);
    });
    next();
  };
}

function tooMany(most: number): Problem {
  const detail = `You have ${most} event streams open here, and that is the most.`;
  return new Problem(429, 'too-many-streams', 'Too many event streams', detail, { headers: { 'Retry-After': '5' } });
}
