import { callerOf } from '@offload/access';
import { Problem } from '@offload/http';
import type { RequestHandler } from 'express';

/**
 * Limits the event streams that a caller (see `callerOf`) has open at once, over all routes with this handler. Others
 * get 429 `too-many-streams`. It counts in the memory of this process. Put it after `authenticateWatcher`.
 */
export function limitStreams(most: number): RequestHandler {
  const open = new Map<string, number>();
  return (_request, response, next) => {
    if (response.destroyed) return; // the client has left while its token was verified
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
  const detail = `You have ${most} open event streams on this notifier, which is the limit.`;
  return new Problem(429, 'too-many-streams', 'Too many event streams', detail, { headers: { 'Retry-After': '5' } });
}
