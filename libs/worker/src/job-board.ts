import type { HeldJob } from '@offload/database';

/** A job that this process runs. */
export interface BoardJob extends HeldJob {
  attempt: number;
  type: string;
}

/**
 * The jobs that this process runs, and the time when its event loop last turned, in shared memory. A thread can read it
 * while the loop is blocked.
 */
export interface JobBoard {
  readonly memory: SharedArrayBuffer;
  put(place: number, job: BoardJob): void;
  clear(place: number): void;
  /** Notes that the event loop turns. */
  beat(): void;
}

/** Milliseconds since some moment, the same in all threads. */
export function sharedClock(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1_000 + nanoseconds / 1e6;
}

// The time of the last beat, the longest time between two; then places: the attempt (0: free), id, length of the type,
// type.
const HEAD_BYTES = 16;
const PLACE_BYTES = 128;
const ID_AT = 4;
const ID_BYTES = 36;
const LENGTH_AT = ID_AT + ID_BYTES;
const TYPE_AT = LENGTH_AT + 1;

/** @param places most jobs on the board; it leaves out a job with a higher place */
export function createJobBoard(places: number): JobBoard {
  const memory = new SharedArrayBuffer(HEAD_BYTES + places * PLACE_BYTES);
  const clock = new Float64Array(memory, 0, 2);
  const bytes = Buffer.from(memory);
  return {
    memory,
    put(place, { jobId, attempt, type }) {
      if (place >= places) return;
      const start = HEAD_BYTES + place * PLACE_BYTES;
      bytes.write(jobId, start + ID_AT, ID_BYTES, 'latin1');
      bytes[start + LENGTH_AT] = bytes.write(type, start + TYPE_AT, PLACE_BYTES - TYPE_AT, 'latin1');
      bytes.writeInt32LE(attempt, start);
    },
    clear(place) {
      if (place < places) bytes.writeInt32LE(0, HEAD_BYTES + place * PLACE_BYTES);
    },
    beat() {
      const now = sharedClock();
      const [last = 0, longest = 0] = clock;
      if (last > 0) clock[1] = Math.max(longest, now - last);
      clock[0] = now;
    },
  };
}

/**
 * When the event loop of the thread that owns the board last turned, by {@link sharedClock}; 0 before the first time.
 */
export function lastBeatOn(memory: SharedArrayBuffer): number {
  return new Float64Array(memory, 0, 1)[0] as number;
}

/** The longest time between two beats since the last call. */
export function takeLongestGap(memory: SharedArrayBuffer): number {
  const clock = new Float64Array(memory, 0, 2);
  const [, longest = 0] = clock;
  clock[1] = 0;
  return longest;
}

export function jobsOn(memory: SharedArrayBuffer): BoardJob[] {
  const bytes = Buffer.from(memory);
  const jobs: BoardJob[] = [];
  for (let start = HEAD_BYTES; start < bytes.length; start += PLACE_BYTES) {
    const attempt = bytes.readInt32LE(start);
    if (attempt === 0) continue;
    jobs.push({
      jobId: bytes.toString('latin1', start + ID_AT, start + LENGTH_AT),
      attempt,
      type: bytes.toString('latin1', start + TYPE_AT, start + TYPE_AT + (bytes[start + LENGTH_AT] as number)),
    });
  }
  return jobs;
}
