// Prints figures of measuring programs, one in each line, and whether each keeps its bound.

/** Prints one line of a table. If a figure misses its bound, the process exits with 1. */
export function figure(what: string, measured: string, bound: string, pass: boolean): void {
  if (!pass) process.exitCode = 1;
  process.stdout.write(`${pass ? 'pass' : 'MISS'}  ${what.padEnd(52)} ${measured.padEnd(38)} ${bound}\n`);
}

/** The median; NaN without values. */
export function median(values: readonly number[]): number {
  return [...values].sort((one, other) => one - other)[Math.floor(values.length / 2)] ?? NaN;
}

/** Formats milliseconds. */
export const ms = (value: number): string => `${value.toFixed(0)} ms`;
/** Formats milliseconds as seconds. */
export const seconds = (value: number): string => `${(value / 1_000).toFixed(2)} s`;
