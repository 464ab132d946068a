import { invalidHeader } from '@offload/http';

/** RFC 8941 section 3.3.3, with the parameters that section 3.1.2 lets any item have. */
const string =
  /^ *"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\]){1,255})"(?:; *[a-z*][a-z0-9_.*-]*(?:=(?:"(?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*"|[^";,\s]+))?)* *$/;

/**
 * Reads the field `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header, section 2.1): a string in double quotes
 * of 1 to 255 characters of ASCII.
 *
 * @returns null when the request has no such field
 * @throws Problem 400 for any other value: without its key the api might carry out the request twice
 */
export function idempotencyKey(field: string | undefined): string | null {
  if (field === undefined) return null;
  const [, quoted] = string.exec(field) ?? [];
  if (quoted === undefined) {
    throw invalidHeader('Idempotency-Key', 'must be a string of 1 to 255 characters of ASCII in double quotes');
  }
  return quoted.replace(/\\(.)/g, '$1');
}
