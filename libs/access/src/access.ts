import { timingSafeEqual } from 'node:crypto';
import type { Request, RequestHandler, Response } from 'express';
import { ipKeyGenerator } from 'express-rate-limit';
import { ANONYMOUS, hashOf, scopes, type ApiKey, type Scope } from './api-keys.ts';
import { Problem } from '@offload/http';

/** The client that sent a request, and what it may do. */
export interface Client {
  /** The name of the client's API key; `anonymous` if no API keys are configured. */
  name: string;
  /** What the key allows; all scopes if no API keys are configured. */
  scopes: ReadonlySet<Scope>;
}

const anonymous: Client = { name: ANONYMOUS, scopes: new Set(scopes) };

/** RFC 6750 section 2.1 */
const B64TOKEN = /^[A-Za-z0-9\-._~+/]+=*$/;

/**
 * Makes middleware that identifies the client by its bearer token (RFC 6750), for {@link clientOf}. If no keys are
 * configured, every client is `anonymous` with all scopes, and the header `Authorization` is ignored.
 *
 * With keys it answers 401 `unauthorized` with `WWW-Authenticate` (RFC 9110 section 11.6.1) if the request has no
 * token. If the token is not a configured key, the header also has `error="invalid_token"`.
 *
 * @example
 * ```ts
 * app.use('/v1', authenticate(config.API_KEYS));
 * ```
 */
export function authenticate(keys: readonly ApiKey[]): RequestHandler {
  return (request, response, next) => {
    response.locals['client'] = keys.length === 0 ? anonymous : holderOf(tokenOf(request.get('authorization')), keys);
    next();
  };
}

/**
 * Makes middleware that answers 403 `insufficient-scope` if the client's key does not have this scope (RFC 6750 section
 * 3.1). It must run after `authenticate`.
 */
export function requireScope(scope: Scope): RequestHandler {
  return (_request, response, next) => {
    const client = clientOf(response);
    if (!client.scopes.has(scope)) {
      const detail = `This request needs the scope ${scope}, which the key of ${client.name} does not have.`;
      throw new Problem(403, 'insufficient-scope', 'Insufficient scope', detail, {
        headers: challenge(`error="insufficient_scope", scope="${scope}"`),
      });
    }
    next();
  };
}

/**
 * The client that sent the request which `response` answers.
 *
 * @throws Error if no `authenticate` ran before: a route without it answers 500 and lets no client in
 */
export function clientOf(response: Response): Client {
  const client = response.locals['client'] as Client | undefined;
  if (!client) throw new Error('clientOf needs authenticate before the route');
  return client;
}

/** The name that limits count: the client's name. Without API keys it is the IP address, for IPv6 its /56 network. */
export function callerOf(response: Response): string {
  const { name } = clientOf(response);
  return name === ANONYMOUS ? ipKeyGenerator(response.req.ip ?? 'gone') : name;
}

/** The name of the scheme is case-insensitive (RFC 9110 section 11.1). */
const BEARER = /^bearer(?: +(.*))?$/i;

/** Whether the request has a bearer token in its header, valid or not. */
export function sendsBearer(request: Request): boolean {
  return BEARER.test(request.get('authorization') ?? '');
}

function tokenOf(header: string | undefined): string {
  const [, token] = BEARER.exec(header ?? '') ?? [];
  if (token !== undefined) return token;
  throw new Problem(401, 'unauthorized', 'Authentication required', 'Send a key: Authorization: Bearer <key>', {
    headers: challenge(),
  });
}

/** Compares the token with every key, also after a match: so the duration of the comparison tells nothing. */
function holderOf(token: string, keys: readonly ApiKey[]): Client {
  const hash = hashOf(token);
  let holder: ApiKey | null = null;
  for (const key of keys) if (timingSafeEqual(key.hash, hash)) holder = key;
  if (holder !== null && B64TOKEN.test(token)) return holder;
  throw new Problem(401, 'unauthorized', 'Authentication required', 'The key is not one of the configured API keys.', {
    headers: challenge('error="invalid_token"'),
  });
}

/**
 * The header `WWW-Authenticate` of a refused request.
 *
 * @param more parameters after the realm (RFC 6750 section 3)
 */
export function challenge(more?: string): { 'WWW-Authenticate': string } {
  return { 'WWW-Authenticate': `Bearer realm="offload"${more === undefined ? '' : `, ${more}`}` };
}
