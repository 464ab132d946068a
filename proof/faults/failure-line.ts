/** How many are named. */
const NAMED = 5;

/** What must not be, in one line with some of those it is true of; nothing when there are none. */
export function failureLine(what: string, found: readonly string[]): string[] {
  if (found.length === 0) return [];
  const more = found.length > NAMED ? ` and ${found.length - NAMED} more` : '';
  return [`${found.length} ${what}: ${found.slice(0, NAMED).join(', ')}${more}`];
}
