import { parse, stringify } from 'uuid';

/** The opaque form of "after this job": its id in 22 characters. */
export function encodeCursor(id: string): string {
  return Buffer.from(parse(id)).toString('base64url');
}

/** @returns the id, or null if the text is no cursor */
export function decodeCursor(cursor: string): string | null {
  const bytes = Buffer.from(cursor, 'base64url');
  if (bytes.toString('base64url') !== cursor) return null;
  try {
    return stringify(bytes);
  } catch {
    return null; // not the 16 bytes of a UUID
  }
}
