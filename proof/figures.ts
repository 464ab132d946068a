// What programs that measure print: a figure a line, and whether it keeps its bound.

/** Prints one line of a table. A figure that misses its bound has the process exit with 1. */
export function figure(what: string, measured: string, bound: string, pass: boolean): void {
  if (!pass) process.exitCode = 1;
  process.stdout.write(`${pass ? 'pass' : 'MISS'}  ${what.padEnd(52)} ${measured.padEnd(38)} ${bound}\n`);
}

/** NaN where there is no value. */
export function median(values: readonly number[]): number {
  return [...values].sort((one, other) => one - other)[Math.floor(values.length / 2)] ?? NaN;
}

export const ms = (value: number): string => `${value.toFixed(0)} ms`;
export const seconds = (value: number): string => `${(value / 1_000).toFixed(2)} s`;
