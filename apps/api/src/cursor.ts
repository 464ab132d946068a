import { parse, stringify, validate } from 'uuid';

/** The opaque form of "after this job": its id in 22 characters. */
export function encodeCursor(id: string): string {
  return Buffer.from(parse(id)).toString('base64url');
}

/** @returns the id, or null when this is no cursor of ours */
export function decodeCursor(cursor: string): string | null {
  const bytes = Buffer.from(cursor, 'base64url');
  if (bytes.length !== 16 || bytes.toString('base64url') !== cursor) return null;
  const hex = bytes.toString('hex');
  const id = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  return validate(id) ? stringify(parse(id)) : null;
}
