/** The middle of these values, the upper one of two; NaN of none. */
export function median(values: readonly number[]): number {
  return [...values].sort((one, other) => one - other)[Math.floor(values.length / 2)] ?? NaN;
}

/** The value below which so much of these lies: 0.99 for all but one in a hundred; NaN of none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}

/** The largest of these values; NaN of none. */
export function worst(values: readonly number[]): number {
  return values.length === 0 ? NaN : Math.max(...values);
}

/** Milliseconds as a reader wants them: `84 ms`, `1.3 s`, `24 s`; `–` of nothing. */
export function duration(ms: number): string {
  if (Number.isNaN(ms)) return '–';
  if (Math.abs(ms) < 999.5) return `${ms.toFixed(0)} ms`;
  return `${(ms / 1_000).toFixed(Math.abs(ms) < 9_950 ? 1 : 0)} s`;
}
