/** The summary of several rounds. */
export interface Summary {
  median: number;
  least: number;
  most: number;
  rounds: number;
}

/** @returns the median; NaN without values, and the mean of the two in the middle */
export function medianOf(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** @param share 0.99 for the p99 @returns the quantile, interpolated; NaN without values */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((one, other) => one - other);
  const place = (sorted.length - 1) * share;
  const [below = NaN, above = below] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]];
  return below + (above - below) * (place - Math.floor(place));
}

/** Summarizes the values of several rounds. */
export function summarize(values: readonly number[]): Summary {
  return {
    median: medianOf(values),
    least: values.length > 0 ? Math.min(...values) : NaN,
    most: values.length > 0 ? Math.max(...values) : NaN,
    rounds: values.length,
  };
}

/**
 * Computes how many things were done in a second from the time of each. It omits the first fifth, in which the system
 * warms up.
 *
 * @param times in milliseconds, in any order
 * @returns NaN when there are too few times
 */
export function rateAfterWarmUp(times: readonly number[]): number {
  const sorted = Float64Array.from(times).sort();
  const warm = Math.floor(sorted.length / 5);
  const [from, to] = [sorted[warm] ?? NaN, sorted[sorted.length - 1] ?? NaN];
  // Count from after the first time: things at the same time as it were done before.
  const after = sorted.filter((time) => time > from).length;
  return to > from ? (after * 1_000) / (to - from) : NaN;
}

/**
 * Finds accepted jobs that are not in the store, and jobs in the store that were never sent. Requests in flight at the
 * end of the load may be stored without an answer.
 */
export function miscounted({ accepted, sent, stored }: { accepted: number; sent: number; stored: number }): {
  lost: number;
  phantom: number;
} {
  return { lost: Math.max(0, accepted - stored), phantom: Math.max(0, stored - sent) };
}
