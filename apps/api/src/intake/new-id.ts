import { randomFillSync } from 'node:crypto';
import { v7 } from 'uuid';

/** The number of random bytes in an id. */
const BYTES = 16;
/** Random bytes are fetched for so many ids at once: a system call for each id would cost more than the rest of it. */
const IDS = 256;

const pool = Buffer.alloc(BYTES * IDS);
let used = pool.length;
let msecs = 0;
let seq = 0;

/** Makes a UUID of version 7 that is greater than all earlier ids of this process (RFC 9562 section 6.2, method 1). */
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
    seq = random.readUInt32BE(6) >>> 1; // leaves the upper half for counting
  } else {
    seq += 1;
  }
  return v7({ random, msecs, seq });
}
