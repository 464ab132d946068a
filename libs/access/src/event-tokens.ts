import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { ApiKey } from './api-keys.ts';

// JSON Web Tokens (RFC 7519), as RFC 8725 recommends: one algorithm, and their own issuer and audience.
const ALGORITHM = 'HS256';
const ISSUER = 'offload:api';
const AUDIENCE = 'offload:events';
/** How far the clocks of api and notifier may differ, in seconds. */
const TOLERANCE_SECONDS = 5;
/** RFC 7518 section 3.2: the key must have at least as many bits as the hash. In bytes. */
const SHORTEST_SECRET = 32;

/**
 * Parses `EVENT_TOKEN_SECRET`: one secret, or two during a rotation. The first one signs, both verify. Each has at
 * least 32 characters.
 */
export const eventTokenSecrets = z.string().transform((text, context): string[] => {
  const secrets = text.split(',').map((secret) => secret.trim());
  if (secrets.length > 2) context.addIssue('must be one secret, or two separated by a comma');
  else if (secrets.some(({ length }) => length < SHORTEST_SECRET)) {
    context.addIssue(
      `each secret must have at least ${SHORTEST_SECRET} characters; \`openssl rand -hex 32\` makes one`,
    );
  }
  return secrets;
});

/** What an event token allows: to watch events in the name of a client. */
export interface EventGrant {
  /** The name of the client's API key. */
  client: string;
  /** The only job whose events the token shows. @default every job */
  jobId?: string | undefined;
}

/** Issues and reads event tokens. {@link createEventTokens} makes it. */
export interface EventTokens {
  /** Makes a token that expires after this many seconds. */
  issue(grant: EventGrant, seconds: number): Promise<{ token: string; expiresAt: Date }>;
  /** Verifies a token. An invalid or expired token is no error. */
  read(token: string): Promise<EventGrant | 'expired' | 'invalid'>;
}

const claims = z.object({ sub: z.string(), job: z.string().optional() });

/**
 * Makes and reads event tokens: short-lived, signed JSON Web Tokens. They are not encrypted and hold only a client's
 * name and a job's id. They are not stored, so only a new secret revokes a token before it expires.
 *
 * @param secrets see {@link eventTokenSecrets}; at least one
 * @throws Error when there is no secret
 * @example
 * ```ts
 * const tokens = createEventTokens(config.EVENT_TOKEN_SECRET);
 * const { token, expiresAt } = await tokens.issue({ client: 'web', jobId }, 60);
 * await tokens.read(token); // { client: 'web', jobId }
 * ```
 */
export function createEventTokens(secrets: readonly string[]): EventTokens {
  const keys = secrets.map((secret) => new TextEncoder().encode(secret));
  const [signing] = keys;
  if (!signing) throw new Error('event tokens need a secret');
  const jose = import('jose'); // loaded on demand: a worker needs no tokens

  return {
    async issue({ client, jobId }, seconds) {
      const issuedAt = Math.floor(Date.now() / 1_000);
      const { SignJWT } = await jose;
      const token = await new SignJWT(jobId === undefined ? {} : { job: jobId })
        .setProtectedHeader({ alg: ALGORITHM, typ: 'JWT' })
        .setIssuer(ISSUER)
        .setAudience(AUDIENCE)
        .setSubject(client)
        .setIssuedAt(issuedAt)
        .setExpirationTime(issuedAt + seconds)
        .sign(signing);
      return { token, expiresAt: new Date((issuedAt + seconds) * 1_000) };
    },

    async read(token) {
      for (const key of keys) {
        const outcome = await readWith(await jose, key, token);
        if (outcome !== 'signed otherwise') return outcome;
      }
      return 'invalid';
    },
  };
}

/**
 * The event tokens of a process with these keys and secrets.
 *
 * @returns null if there are keys and no secret: no other process could verify the tokens. Without keys and secrets it
 *   uses a random secret, because no process verifies tokens then
 */
export function eventTokensFor(keys: readonly ApiKey[], secrets: readonly string[]): EventTokens | null {
  if (secrets.length > 0) return createEventTokens(secrets);
  return keys.length > 0 ? null : createEventTokens([randomBytes(SHORTEST_SECRET).toString('hex')]);
}

async function readWith(
  { errors, jwtVerify }: typeof import('jose'),
  key: Uint8Array,
  token: string,
): Promise<EventGrant | 'expired' | 'invalid' | 'signed otherwise'> {
  try {
    const { payload } = await jwtVerify(token, key, {
      algorithms: [ALGORITHM],
      issuer: ISSUER,
      audience: AUDIENCE,
      clockTolerance: TOLERANCE_SECONDS,
      requiredClaims: ['sub', 'exp'],
    });
    const { sub, job } = claims.parse(payload);
    return { client: sub, jobId: job };
  } catch (error) {
    if (error instanceof errors.JWSSignatureVerificationFailed) return 'signed otherwise';
    if (error instanceof errors.JWTExpired) return 'expired'; // the signature is valid
    if (error instanceof errors.JOSEError || error instanceof z.ZodError) return 'invalid';
    throw error;
  }
}
