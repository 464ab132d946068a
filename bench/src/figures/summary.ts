/** What several rounds came to. */
export interface Summary {
  median: number;
  least: number;
  most: number;
  rounds: number;
}

/** @returns NaN of nothing; between two in the middle their mean */
export function medianOf(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** @param share 0.99 for the p99 @returns NaN of nothing; between two values in proportion */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((one, other) => one - other);
  const place = (sorted.length - 1) * share;
  const [below = NaN, above = below] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]];
  return below + (above - below) * (place - Math.floor(place));
}

export function summarize(values: readonly number[]): Summary {
  return {
    median: medianOf(values),
    least: values.length > 0 ? Math.min(...values) : NaN,
    most: values.length > 0 ? Math.max(...values) : NaN,
    rounds: values.length,
  };
}

/**
 * How many things were done a second, by the times at which each was: without the first fifth, in which whatever does them
 * gets going.
 *
 * @param times in milliseconds, in any order @returns NaN when there are too few to tell
 */
export function rateAfterWarmUp(times: readonly number[]): number {
  const sorted = Float64Array.from(times).sort();
  const warm = Math.floor(sorted.length / 5);
  const [from, to] = [sorted[warm] ?? NaN, sorted[sorted.length - 1] ?? NaN];
  // What was done together with the one from which is counted was done before.
  const after = sorted.filter((time) => time > from).length;
  return to > from ? (after * 1_000) / (to - from) : NaN;
}

/**
 * Jobs that were accepted and are not in the store, and jobs in the store that nobody sent. Requests that were on their way
 * when the load ended may have been stored without an answer.
 */
export function miscounted({ accepted, sent, stored }: { accepted: number; sent: number; stored: number }): {
  lost: number;
  phantom: number;
} {
  return { lost: Math.max(0, accepted - stored), phantom: Math.max(0, stored - sent) };
}
