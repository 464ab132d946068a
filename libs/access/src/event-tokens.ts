import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { ApiKey } from './api-keys.ts';

// JSON Web Tokens (RFC 7519), as RFC 8725 would have them: one algorithm, and an issuer and an audience of their own.
const ALGORITHM = 'HS256';
const ISSUER = 'offload:api';
const AUDIENCE = 'offload:events';
/** How far the clocks of api and notifier may be apart, in seconds. */
const TOLERANCE_SECONDS = 5;
/** RFC 7518 section 3.2: a key of as many bits as the hash, at least. */
const SHORTEST_SECRET = 32;

/** `EVENT_TOKEN_SECRET`: one secret, or two while one replaces the other: the first signs, both are known. */
export const eventTokenSecrets = z.string().transform((text, context): string[] => {
  const secrets = text.split(',').map((secret) => secret.trim());
  if (secrets.length > 2) context.addIssue('must be one secret, or two separated by a comma');
  else if (secrets.some(({ length }) => length < SHORTEST_SECRET)) {
    context.addIssue(`each secret must have ${SHORTEST_SECRET} characters at least, as \`openssl rand -hex 32\` makes`);
  }
  return secrets;
});

/** What an event token is good for: to watch events, in the name of a client. */
export interface EventGrant {
  /** The client that got it: the name of its API key. */
  client: string;
  /** The only job whose events it shows. @default every job's */
  jobId?: string | undefined;
}

export interface EventTokens {
  /** Makes a token that is good for so many seconds. */
  issue(grant: EventGrant, seconds: number): Promise<{ token: string; expiresAt: Date }>;
  /** What a token is good for, or why for nothing. */
  read(token: string): Promise<EventGrant | 'expired' | 'invalid'>;
}

const claims = z.object({ sub: z.string(), job: z.string().optional() });

/**
 * Makes and reads event tokens: short-lived, signed, and not encrypted, so that there is nothing in them but a client's
 * name and a job's id. Nobody keeps them: one can't be taken back before it expires but by another secret.
 *
 * @param secrets see {@link eventTokenSecrets}; at least one
 */
export function createEventTokens(secrets: readonly string[]): EventTokens {
  const keys = secrets.map((secret) => new TextEncoder().encode(secret));
  const [signing] = keys;
  if (!signing) throw new Error('event tokens need a secret');
  const jose = import('jose'); // only now: a worker has no tokens

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
 * The event tokens of a process with these keys.
 *
 * @returns null where there are keys and no secret, since the others could not know one that is made here. Without keys one
 * is made: everybody may watch then, and nobody looks at tokens
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
    if (error instanceof errors.JWTExpired) return 'expired'; // told only of what is signed
    if (error instanceof errors.JOSEError || error instanceof z.ZodError) return 'invalid';
    throw error;
  }
}
