/**
 * Text of a handler's, which may be anything, as `jsonb` takes it: no NUL, no half of a surrogate pair, and no novel.
 *
 * @param maxLength in UTF-16 code units
 */
export function storable(text: string, maxLength: number): string {
  return text.slice(0, maxLength).toWellFormed().replaceAll('\0', '\ufffd');
}

/** What a handler gives as text, which may be anything: also what throws when it is printed. */
export function textOf(given: unknown): string {
  try {
    return String(given);
  } catch {
    return 'something that can not be printed';
  }
}
