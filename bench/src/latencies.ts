/** Times counted in steps of a tenth of a millisecond: a million of them cost no more than a few. */
export interface Latencies {
  add(ms: number): void;
  /** Adds what another process has counted. */
  merge(counts: Counts): void;
  counts(): Counts;
  readonly size: number;
  /** @param share 0.5 for the median @returns in milliseconds; NaN of nothing */
  at(share: number): number;
}

/** How many times fell into which step. */
export type Counts = [step: number, count: number][];

const STEPS_PER_MS = 10;
/** What took longer counts as so long. */
const LONGEST_MS = 20_000;

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
