import { createHash } from 'node:crypto';
import type { IdempotencyKey } from '@offload/database';
import { bodyDigest } from '@offload/http/bodies';
import { clientOf } from '@offload/access';
import type { Request, Response } from 'express';
import { idempotencyKey } from './idempotency-key.ts';

/**
 * Reads a request's idempotency key, with its client and a hash of the request. Two requests are the same when path and
 * body are the same, byte by byte.
 *
 * @throws Problem 400 when the key is malformed
 */
export function idempotencyOf(request: Request, response: Response): IdempotencyKey | null {
  const key = idempotencyKey(request.get('idempotency-key'));
  if (key === null) return null;
  const fingerprint = createHash('sha256').update(request.path).update(bodyDigest(request)).digest();
  return { client: clientOf(response).name, key, fingerprint };
}
