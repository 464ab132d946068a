/** Counts times in steps of a tenth of a millisecond, so that a million of them need no more memory than a few. */
export interface Latencies {
  add(ms: number): void;
  /** Adds the counts of another process. */
  merge(counts: Counts): void;
  counts(): Counts;
  readonly size: number;
  /** @param share 0.5 for the median @returns milliseconds; NaN without times */
  at(share: number): number;
}

/** The number of times in each step. */
export type Counts = [step: number, count: number][];

const STEPS_PER_MS = 10;
/** Longer times count as this. */
const LONGEST_MS = 20_000;

/** Makes an empty count. */
export function countLatencies(): Latencies {
  const steps = new Uint32Array(LONGEST_MS * STEPS_PER_MS + 1);
  let size = 0;

  function count(step: number, more: number): void {
    steps[step] = (steps[step] as number) + more;
    size += more;
  }

  return {
    add: (ms) => count(Math.min(Math.max(0, Math.ceil(ms * STEPS_PER_MS)), steps.length - 1), 1),
    merge: (counts) => counts.forEach(([step, more]) => count(step, more)),
    counts: () => [...steps.entries()].filter(([, many]) => many > 0),
    get size() {
      return size;
    },
    at(share) {
      if (size === 0) return NaN;
      let left = Math.max(1, Math.ceil(size * share));
      const step = steps.findIndex((many) => (left -= many) <= 0);
      return step / STEPS_PER_MS;
    },
  };
}
