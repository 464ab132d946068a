import type { Profile } from './csv.profile.pool.ts';

type Type = Profile['columns'][number]['type'];

const integer = /^[+-]?(?:0|[1-9]\d*)$/;
const number = /^[+-]?(?:(?:0|[1-9]\d*)(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;
const boolean = /^(?:true|false)$/i;
const date = /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)(Z|[+-]\d{2}:\d{2})?)?$/;

/** @returns the type of all values; `describeColumn` has the rules */
export function typeOf(values: Iterable<string>): Type {
  let found: Type = 'empty';
  for (const value of values) {
    const type = typeOfValue(value);
    if (found === 'empty' || found === type) {
      found = type;
    } else if (isNumeric(found) && isNumeric(type)) {
      found = 'number';
    } else {
      found = 'string';
    }
    if (found === 'string') {
      break;
    }
  }
  return found;
}

function typeOfValue(value: string): Type {
  if (integer.test(value)) {
    return Number.isSafeInteger(Number(value)) ? 'integer' : 'string';
  }
  if (number.test(value)) {
    return Number.isFinite(Number(value)) ? 'number' : 'string';
  }
  if (boolean.test(value)) {
    return 'boolean';
  }
  return Number.isNaN(instantOf(value)) ? 'string' : 'date';
}

function isNumeric(type: Type): boolean {
  return type === 'integer' || type === 'number';
}

/** Milliseconds since 1970; NaN if the text is no date of the calendar. */
export function instantOf(value: string): number {
  const match = date.exec(value);
  if (match === null) {
    return NaN;
  }
  const [, year, month, day, time = '00:00', zone = 'Z'] = match;
  const midnight = new Date(`${year}-${month}-${day}T00:00Z`);
  // Date turns 30 February into 2 March.
  return midnight.getUTCDate() === Number(day) ? Date.parse(`${year}-${month}-${day}T${time}${zone}`) : NaN;
}
