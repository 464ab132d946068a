import { randomFillSync } from 'node:crypto';
import { v7 } from 'uuid';

/** Random bytes that an id is made of. */
const BYTES = 16;
/** Fetched for so many ids at once: to ask the system for each costs more than all else of an id. */
const IDS = 256;

const pool = Buffer.alloc(BYTES * IDS);
let used = pool.length;
let msecs = 0;
let seq = 0;

/** A UUID of version 7, greater than all that this process has made before (RFC 9562 section 6.2, method 1). */
export function newId(): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const random = pool.subarray(used, used + BYTES);
  used += BYTES;

  const now = Date.now();
  if (now > msecs) {
    msecs = now;
    seq = random.readUInt32BE(6) >>> 1; // the upper half is left to count on in
  } else {
    seq += 1;
  }
  return v7({ random, msecs, seq });
}
