import { createHash } from 'node:crypto';
import type { IdempotencyKey } from '@offload/database';
import { bodyDigest } from '@offload/http/bodies';
import { clientOf } from '@offload/access';
import type { Request, Response } from 'express';
import { idempotencyKey } from './idempotency-key.ts';

/**
 * The idempotency key that a request brings, for its client. The same request is the same path with the same body, byte
 * by byte.
 *
 * @throws Problem 400 when it can't be read
 */
export function idempotencyOf(request: Request, response: Response): IdempotencyKey | null {
  const key = idempotencyKey(request.get('idempotency-key'));
  if (key === null) return null;
  const fingerprint = createHash('sha256').update(request.path).update(bodyDigest(request)).digest();
  return { client: clientOf(response).name, key, fingerprint };
}
