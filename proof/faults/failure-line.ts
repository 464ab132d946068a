/** Most items that are named. */
const NAMED = 5;

/** Describes a kind of failure in one line with some of its items; nothing without items. */
export function failureLine(what: string, found: readonly string[]): string[] {
  if (found.length === 0) return [];
  const more = found.length > NAMED ? ` and ${found.length - NAMED} more` : '';
  return [`${found.length} ${what}: ${found.slice(0, NAMED).join(', ')}${more}`];
}
