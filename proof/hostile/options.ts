import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';

/** Options of `npm run hostile`. */
export interface Options {
  /** Number of scripts. */
  runs: number;
  /** The same seed makes the same scripts. */
  seed: number;
  /** Number of the only script to play; null for all. */
  only: number | null;
}

/** @throws TypeError when an option is unknown or its value is invalid */
export function parseOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      runs: { type: 'string', default: '20000' },
      seed: { type: 'string' },
      only: { type: 'string' },
    },
  });
  return {
    runs: wholeNumber('runs', values.runs),
    seed: values.seed === undefined ? randomInt(1, 1_000_000) : wholeNumber('seed', values.seed),
    only: values.only === undefined ? null : wholeNumber('only', values.only),
  };
}

function wholeNumber(option: string, text: string): number {
  if (!/^\d{1,7}$/.test(text)) throw new TypeError(`--${option} must be a whole number, not "${text}"`);
  return Number(text);
}
