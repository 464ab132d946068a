/**
 * An array as PostgreSQL reads it. pg writes arrays too, but looks at what each element may be: that is most of what it
 * costs to send a statement of a hundred items.
 * https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO
 */
export function textArray(values: readonly (string | null)[]): string {
  return `{${values.map((value) => (value === null ? 'NULL' : quoted(value))).join(',')}}`;
}

/** The same of what never needs quotes: UUIDs that have been checked, numbers, booleans. */
export function plainArray(values: readonly (string | number | boolean | null)[]): string {
  return `{${values.map((value) => value ?? 'NULL').join(',')}}`;
}

function quoted(value: string): string {
  if (!/["\\]/.test(value)) return `"${value}"`;
  // JSON puts a string in quotes as an array does, unless it has controls or half a surrogate pair. JSON itself has none,
  // and megabytes of it that are all quotes are written in a twentieth of the time.
  const isAsJson = !/[^ -\uffff]/.test(value) && value.isWellFormed();
  return isAsJson ? JSON.stringify(value) : `"${value.replace(/["\\]/g, '\\$&')}"`;
}
