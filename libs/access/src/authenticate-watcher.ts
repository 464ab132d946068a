import type { Request, RequestHandler } from 'express';
import { authenticate, challenge, sendsBearer, type Client } from './access.ts';
import type { ApiKey } from './api-keys.ts';
import type { EventTokens } from './event-tokens.ts';
import { Problem, TOKEN_PARAMETER, withoutTokenParameter } from '@offload/http';

/**
 * Makes middleware that identifies the client of an event stream: by its key, as {@link authenticate}, or by an event
 * token in the query. A browser's EventSource needs the token, because it can send no headers. A client with a token
 * has the scope `read` only.
 *
 * Use it on routes, not with `app.use`: it compares the job of a token with the path parameter `id`. It removes the
 * token from the URL, so later handlers and logs do not see it. A stream that is open continues when its token expires.
 *
 * It refuses a request (RFC 6750 sections 2 and 3.1) with:
 * - 401 `unauthorized` and `error="invalid_token"` if the token is invalid or expired
 * - the same if the client's key is gone or has no scope `read`
 * - 403 `insufficient-scope` if the token is for another job
 * - 400 `invalid-request` if there are several tokens, or a token beside a key
 *
 * Without API keys every client may watch, and tokens are ignored.
 *
 * @param tokens reads event tokens; with null every event token is refused
 */
export function authenticateWatcher(keys: readonly ApiKey[], tokens: EventTokens | null): RequestHandler {
  const authenticateByKey = authenticate(keys);

  async function holderOf(token: string, jobId: string | undefined): Promise<Client> {
    if (!tokens) throw invalidToken('This server accepts no event tokens: EVENT_TOKEN_SECRET is not set.');
    const grant = await tokens.read(token);
    if (grant === 'expired') throw invalidToken('The event token has expired.', 'The event token has expired');
    if (grant === 'invalid') throw invalidToken('The event token is not valid.');
    const key = keys.find(({ name }) => name === grant.client);
    if (!key?.scopes.has('read'))
      throw invalidToken('The API key behind the event token is gone or has no scope read.');
    if (grant.jobId !== undefined && grant.jobId !== jobId?.toLowerCase()) {
      const headers = challenge('error="insufficient_scope"');
      const detail = 'The event token is only for the events of another job.';
      throw new Problem(403, 'insufficient-scope', 'Insufficient scope', detail, { headers });
    }
    return { name: key.name, scopes: new Set(['read']) };
  }

  return async (request, response, next) => {
    const [token, ...more] = takeTokens(request);
    if (keys.length === 0 || token === undefined) return void authenticateByKey(request, response, next);
    if (more.length > 0) throw invalidRequest('must appear only once');
    if (sendsBearer(request)) throw invalidRequest('must not be sent together with a key in Authorization');
    const { id } = request.params;
    response.locals['client'] = await holderOf(token, typeof id === 'string' ? id : undefined);
    next();
  };
}

/**
 * Removes the event tokens from the URL.
 *
 * @returns the removed tokens
 */
function takeTokens(request: Request): string[] {
  const given = request.query[TOKEN_PARAMETER] as string | string[] | undefined; // the simple parser gives no other types
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
