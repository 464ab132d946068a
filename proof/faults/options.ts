import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { LONG, SHORT, type Pace } from './pace.ts';

export interface Options {
  short: boolean;
  /** whether docs/reliability.md is written */
  write: boolean;
  seed: number;
  pace: Pace;
  /** names of scenarios and measurements; empty for all of them */
  only: string[];
}

/** @throws TypeError when an option is unknown, or its value is none */
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

/** @returns the seed that is given, or one that is drawn */
export function seedOf(text: string | undefined): number {
  return text === undefined ? randomInt(1, 1_000_000) : wholeNumber('seed', text);
}

/** @throws TypeError when the option's value is none */
export function wholeNumber(option: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new TypeError(`--${option} must be a whole number, not "${text}"`);
  return Number(text);
}
