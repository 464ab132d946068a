/**
 * Text of a handler's, which may be anything, as PostgreSQL's `jsonb` takes it: no NUL, no half of a surrogate pair, and no novel.
 *
 * @param maxLength in UTF-16 code units
 */
export function storable(text: string, maxLength: number): string {
  return text.slice(0, maxLength).toWellFormed().replaceAll('\0', '\ufffd');
}
