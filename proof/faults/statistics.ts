/** The median of these values, or the upper of two; NaN without values. */
export function median(values: readonly number[]): number {
  return [...values].sort((one, other) => one - other)[Math.floor(values.length / 2)] ?? NaN;
}

/** The quantile of these values: 0.99 for all but one in a hundred; NaN without values. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}

/** The largest of these values; NaN without values. */
export function worst(values: readonly number[]): number {
  return values.length === 0 ? NaN : Math.max(...values);
}

/** Formats milliseconds for people: `84 ms`, `1.3 s`, `24 s`; `–` for NaN. */
export function duration(ms: number): string {
  if (Number.isNaN(ms)) return '–';
  if (Math.abs(ms) < 999.5) return `${ms.toFixed(0)} ms`;
  return `${(ms / 1_000).toFixed(Math.abs(ms) < 9_950 ? 1 : 0)} s`;
}
