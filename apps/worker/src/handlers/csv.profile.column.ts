import type { Profile } from './csv.profile.pool.ts';
import { instantOf, typeOf } from './csv.profile.type.ts';

export type ColumnProfile = Profile['columns'][number];

/** How many of the most frequent values a profile has. */
const TOP = 5;

/** Longer text is cut in `min`, `max` and `top`, in UTF-16 code units, since events contain the result. */
const MAX_TEXT_LENGTH = 256;

/**
 * Describes a column from how often each of its non-empty values occurs; `empty` counts the cells without a character.
 * Cells are taken as written: nothing is trimmed, and no word stands for "missing".
 *
 * - `type` is the type of all values. It is `integer`, `number` (decimal, also among integers), `boolean` (true, false
 *   in any case), `date` (ISO 8601, with or without time), `string`, or `empty` without values. Identifiers are
 *   strings: whole numbers beyond 2^53, which a double would round, and numbers with a leading zero (ZIP code 00501).
 * - `distinct` counts values as written (1 and 1.0 are two).
 * - `min`, `max`: numbers; for dates `YYYY-MM-DD`, or an instant in UTC once one value has a time (local times are read
 *   as UTC); otherwise text, ordered by UTF-16 code units.
 * - `mean` is summed with compensation (Neumaier), so it is exact to about the last digit of a double.
 * - `quantiles` interpolate linearly between the closest values (type 7 of Hyndman and Fan, the default of NumPy,
 *   pandas, R and Excel).
 * - `top`: the most frequent values as written, the smaller one first among equals. Text over 256 characters is cut.
 */
export function describeColumn(name: string, counts: ReadonlyMap<string, number>, empty: number): ColumnProfile {
  const type = typeOf(counts.keys());
  const base = { name, type, empty, distinct: counts.size, mean: null, quantiles: null, top: topOf(counts) };
  if (type === 'integer' || type === 'number') {
    return { ...base, ...describeNumbers(counts) };
  }
  const [min, max] = type === 'date' ? dateRange(counts.keys()) : textRange(counts.keys());
  return { ...base, min, max };
}

function describeNumbers(counts: ReadonlyMap<string, number>) {
  let total = 0;
  for (const count of counts.values()) {
    total += count;
  }
  const sorted = new Float64Array(total);
  let end = 0;
  for (const [value, count] of counts) {
    sorted.fill(Number(value), end, (end += count));
  }
  sorted.sort();
  return {
    min: at(sorted, 0),
    max: at(sorted, total - 1),
    mean: meanOf(sorted),
    quantiles: { p25: quantile(sorted, 0.25), p50: quantile(sorted, 0.5), p75: quantile(sorted, 0.75) },
  };
}

function meanOf(values: Float64Array): number {
  let sum = 0;
  let lost = 0;
  for (const value of values) {
    const next = sum + value;
    lost += Math.abs(sum) >= Math.abs(value) ? sum - next + value : value - next + sum;
    sum = next;
  }
  const mean = (sum + lost) / values.length;
  // Only a sum beyond the largest double gets here.
  return Number.isFinite(mean) ? mean : values.reduce((total, value) => total + value / values.length, 0);
}

function quantile(sorted: Float64Array, share: number): number {
  const rank = (sorted.length - 1) * share;
  const low = at(sorted, Math.floor(rank));
  const high = at(sorted, Math.ceil(rank));
  const between = rank - Math.floor(rank);
  const gap = high - low;
  return Number.isFinite(gap) ? low + gap * between : low * (1 - between) + high * between;
}

function at(values: Float64Array, index: number): number {
  return values[index] ?? NaN;
}

function dateRange(values: Iterable<string>): [string, string] {
  let [min, max, length] = [Infinity, -Infinity, 'YYYY-MM-DD'.length];
  for (const value of values) {
    const instant = instantOf(value);
    min = Math.min(min, instant);
    max = Math.max(max, instant);
    length = value.length > length ? Infinity : length;
  }
  return [new Date(min).toISOString().slice(0, length), new Date(max).toISOString().slice(0, length)];
}

function textRange(values: Iterable<string>): [string | null, string | null] {
  let min: string | undefined;
  let max: string | undefined;
  for (const value of values) {
    min = min === undefined || value < min ? value : min;
    max = max === undefined || value > max ? value : max;
  }
  return [min === undefined ? null : cut(min), max === undefined ? null : cut(max)];
}

function topOf(counts: ReadonlyMap<string, number>): ColumnProfile['top'] {
  const top: ColumnProfile['top'] = [];
  for (const [value, count] of counts) {
    const last = top.at(-1);
    if (top.length < TOP || (last !== undefined && byFrequency({ value, count }, last) < 0)) {
      top.splice(TOP - 1);
      top.push({ value, count });
      top.sort(byFrequency);
    }
  }
  return top.map(({ value, count }) => ({ value: cut(value), count }));
}

function byFrequency(a: { value: string; count: number }, b: { value: string; count: number }): number {
  return b.count - a.count || (a.value < b.value ? -1 : 1);
}

function cut(text: string): string {
  // The cut must not leave half of a surrogate pair.
  return text.length > MAX_TEXT_LENGTH
    ? `${text.slice(0, MAX_TEXT_LENGTH - 1).replace(/[\ud800-\udbff]$/, '')}…`
    : text;
}
