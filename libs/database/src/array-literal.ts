/**
 * Writes an array in PostgreSQL's text format. pg would inspect each element, which is most of the cost of sending a
 * statement with a hundred items. https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO
 */
export function textArray(values: readonly (string | null)[]): string {
  return `{${values.map((value) => (value === null ? 'NULL' : quoted(value))).join(',')}}`;
}

/** Writes an array of values that need no quotes: checked UUIDs, numbers and booleans. */
export function plainArray(values: readonly (string | number | boolean | null)[]): string {
  return `{${values.map((value) => value ?? 'NULL').join(',')}}`;
}

function quoted(value: string): string {
  if (!/["\\]/.test(value)) return `"${value}"`;
  // JSON quotes a string as an array does, unless it contains control characters or half a surrogate pair. JSON text
  // contains neither, and JSON.stringify takes a twentieth of the time for megabytes of quotes.
  const isAsJson = !/[^ -\uffff]/.test(value) && value.isWellFormed();
  return isAsJson ? JSON.stringify(value) : `"${value.replace(/["\\]/g, '\\$&')}"`;
}
