import { timingSafeEqual } from 'node:crypto';
import type { Request, RequestHandler, Response } from 'express';
import { ipKeyGenerator } from 'express-rate-limit';
import { ANONYMOUS, hashOf, scopes, type ApiKey, type Scope } from './api-keys.ts';
import { Problem } from '@offload/http';

/** Who sent a request, and what it may ask for. */
export interface Client {
  /** The key's name; `anonymous` where no keys are configured. */
  name: string;
  scopes: ReadonlySet<Scope>;
}

const anonymous: Client = { name: ANONYMOUS, scopes: new Set(scopes) };

/** RFC 6750 section 2.1 */
const B64TOKEN = /^[A-Za-z0-9\-._~+/]+=*$/;

/**
 * Finds out who sent the request by its bearer token (RFC 6750), for {@link clientOf}. Without any keys everybody is
 * `anonymous` and may do everything, and an `Authorization` header is left alone.
 *
 * Otherwise 401 `unauthorized` with `WWW-Authenticate` (RFC 9110 section 11.6.1) for who sends no token, and with
 * `error="invalid_token"` for who sends another than the configured ones.
 */
export function authenticate(keys: readonly ApiKey[]): RequestHandler {
  return (request, response, next) => {
    response.locals['client'] = keys.length === 0 ? anonymous : holderOf(tokenOf(request.get('authorization')), keys);
    next();
  };
}

/** 403 `insufficient-scope` for a client whose key does not have `scope` (RFC 6750 section 3.1). Behind `authenticate`. */
export function requireScope(scope: Scope): RequestHandler {
  return (_request, response, next) => {
    const client = clientOf(response);
    if (!client.scopes.has(scope)) {
      const detail = `This needs a key with the scope ${scope}; that of ${client.name} does not have it.`;
      throw new Problem(403, 'insufficient-scope', 'The key is not good for this', detail, {
        headers: challenge(`error="insufficient_scope", scope="${scope}"`),
      });
    }
    next();
  };
}

/**
 * Who sent the request that `response` answers.
 *
 * @throws Error where `authenticate` has not let it pass: a route that forgets to ask is a 500, not a hole
 */
export function clientOf(response: Response): Client {
  const client = response.locals['client'] as Client | undefined;
  if (!client) throw new Error('clientOf is for routes behind authenticate');
  return client;
}

/** For whom limits count: the client's name, or, where nobody has to say who it is, an address, of IPv6 a /56. */
export function callerOf(response: Response): string {
  const { name } = clientOf(response);
  return name === ANONYMOUS ? ipKeyGenerator(response.req.ip ?? 'gone') : name;
}

/** The scheme's name may be in any case (RFC 9110 section 11.1); other schemes are none of ours. */
const BEARER = /^bearer(?: +(.*))?$/i;

/** Whether it has a bearer token in its header, whatever that is worth. */
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

/** Compares with each key, also behind the right one: how long it takes tells nothing. */
function holderOf(token: string, keys: readonly ApiKey[]): Client {
  const hash = hashOf(token);
  let holder: ApiKey | null = null;
  for (const key of keys) if (timingSafeEqual(key.hash, hash)) holder = key;
  if (holder !== null && B64TOKEN.test(token)) return holder;
  throw new Problem(401, 'unauthorized', 'Authentication required', 'The key is none of those that are configured.', {
    headers: challenge('error="invalid_token"'),
  });
}

/** @param more parameters beside the realm (RFC 6750 section 3) */
export function challenge(more?: string): { 'WWW-Authenticate': string } {
  return { 'WWW-Authenticate': `Bearer realm="offload"${more === undefined ? '' : `, ${more}`}` };
}
