/**
 * Makes a handler's text storable: without NUL and halves of surrogate pairs, which PostgreSQL refuses, and not too
 * long.
 *
 * @param maxLength in UTF-16 code units
 */
export function storable(text: string, maxLength: number): string {
  return text.slice(0, maxLength).toWellFormed().replaceAll('\0', '\ufffd');
}

/** Turns any value of a handler into text, even a value that throws when it is printed. */
export function textOf(given: unknown): string {
  try {
    return String(given);
  } catch {
    return 'something that can not be printed';
  }
}
