import type { Request, RequestHandler } from 'express';
import { authenticate, challenge, sendsBearer, type Client } from './access.ts';
import type { ApiKey } from './api-keys.ts';
import type { EventTokens } from './event-tokens.ts';
import { Problem, TOKEN_PARAMETER, withoutTokenParameter } from '@offload/http';

/**
 * Finds out who watches: as {@link authenticate}, or by an event token in the query, since a browser's EventSource can
 * send no headers. Whose token it is has the scope `read` and nothing else. For routes, not for `use`: a token for one
 * job is held against the parameter `id` of the path. What comes behind does not see the token.
 *
 * 401 `unauthorized` with `error="invalid_token"` for a token that is not known or has expired, or whose client's key is
 * no longer configured, or not for `read`. 403 `insufficient-scope` for other events than those of its job. 400
 * `invalid-request` for several tokens, or a key beside one (RFC 6750 sections 2 and 3.1). Without any keys everybody may
 * watch, and a token is left alone.
 *
 * A stream that was opened goes on when the token expires.
 *
 * @param tokens null: no token is known
 */
export function authenticateWatcher(keys: readonly ApiKey[], tokens: EventTokens | null): RequestHandler {
  const authenticateByKey = authenticate(keys);

  async function holderOf(token: string, jobId: string | undefined): Promise<Client> {
    if (!tokens) throw invalidToken('Event tokens are not known here: EVENT_TOKEN_SECRET is not set.');
    const grant = await tokens.read(token);
    if (grant === 'expired') throw invalidToken('The event token has expired.', 'The event token has expired');
    if (grant === 'invalid') throw invalidToken('The event token is none of ours.');
    const key = keys.find(({ name }) => name === grant.client);
    if (!key?.scopes.has('read'))
      throw invalidToken('The key that the event token was made with may not read any more.');
    if (grant.jobId !== undefined && grant.jobId !== jobId?.toLowerCase()) {
      const headers = challenge('error="insufficient_scope"');
      const detail = 'The event token is for the events of another job alone.';
      throw new Problem(403, 'insufficient-scope', 'The key is not good for this', detail, { headers });
    }
    return { name: key.name, scopes: new Set(['read']) };
  }

  return async (request, response, next) => {
    const [token, ...more] = takeTokens(request);
    if (keys.length === 0 || token === undefined) return void authenticateByKey(request, response, next);
    if (more.length > 0) throw invalidRequest('must be there once');
    if (sendsBearer(request)) throw invalidRequest('must not come with a key in Authorization');
    const { id } = request.params;
    response.locals['client'] = await holderOf(token, typeof id === 'string' ? id : undefined);
    next();
  };
}

/** @returns what the query has, which has it no more */
function takeTokens(request: Request): string[] {
  const given = request.query[TOKEN_PARAMETER] as string | string[] | undefined; // that is all the simple parser gives
  request.url = withoutTokenParameter(request.url);
  return given === undefined ? [] : [given].flat();
}

function invalidToken(detail: string, description?: string): Problem {
  const more = description === undefined ? '' : `, error_description="${description}"`;
  return new Problem(401, 'unauthorized', 'Authentication required', detail, {
    headers: challenge(`error="invalid_token"${more}`),
  });
}

function invalidRequest(detail: string): Problem {
  return new Problem(400, 'invalid-request', 'The request is not valid', `${TOKEN_PARAMETER}: ${detail}`, {
    errors: [{ parameter: TOKEN_PARAMETER, detail }],
    headers: challenge('error="invalid_request"'),
  });
}
