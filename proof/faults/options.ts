import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { LONG, SHORT, type Pace } from './pace.ts';

/** The options of the fault suite. */
export interface Options {
  short: boolean;
  /** Whether to write docs/reliability.md. */
  write: boolean;
  seed: number;
  pace: Pace;
  /** Names of scenarios and measurements; empty for all. */
  only: string[];
}

/** @throws TypeError when an option is unknown or its value is invalid */
export function parseOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      short: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
      seed: { type: 'string' },
      jobs: { type: 'string' },
      only: { type: 'string', multiple: true, default: [] },
    },
  });
  const { short, only } = values;
  const pace = short ? SHORT : LONG;
  return {
    short,
    write: values.write || (!short && only.length === 0),
    seed: seedOf(values.seed),
    pace: values.jobs === undefined ? pace : { ...pace, jobs: wholeNumber('jobs', values.jobs) },
    only: only.flatMap((names) => names.split(',')),
  };
}

/** @returns the given seed, or a random one */
export function seedOf(text: string | undefined): number {
  return text === undefined ? randomInt(1, 1_000_000) : wholeNumber('seed', text);
}

/** @throws TypeError when the option's value is invalid */
export function wholeNumber(option: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new TypeError(`--${option} must be a whole number, not "${text}"`);
  return Number(text);
}
