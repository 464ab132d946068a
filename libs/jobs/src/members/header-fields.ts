import { z } from 'zod';

/** Most header fields of one request. */
const MAX_FIELDS = 256;

/** Most characters of all names and values of one request's header fields together (64 Ki). */
const MAX_CHARACTERS = 65_536;

/** RFC 9110 section 5.6.2. */
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** RFC 9110 section 5.5: visible characters, spaces and tabs. Line breaks are refused, which would add other fields. */
const fieldValue = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Schema of a request's method (RFC 9110 section 9.1). The output is in upper case. */
export const httpMethod = z.string().regex(token, 'must be an HTTP token').max(32).toUpperCase();

/**
 * Schema of a request's header fields, by name: at most 256, with 65,536 characters in all.
 *
 * It counts the fields before it checks any. `z.record` would count last, and drop a field named `__proto__`.
 */
export const headerFields = z
  .unknown()
  .check(({ value, issues }) => {
    for (const fault of faultsOf(value)) issues.push({ code: 'custom', input: value, ...fault });
  })
  .meta({
    type: 'object',
    maxProperties: MAX_FIELDS,
    propertyNames: { type: 'string', pattern: token.source },
    additionalProperties: { type: 'string', pattern: fieldValue.source },
  }) as z.ZodType as z.ZodType<Record<string, string>>;

/** Schema of an answer's header fields, by name. `z.record` would drop a field that a server names `__proto__`. */
export const answeredFields = z
  .unknown()
  .refine((fields) => isObject(fields) && Object.values(fields).every(isText), 'must be an object of strings')
  .meta({ type: 'object', additionalProperties: { type: 'string' } }) as z.ZodType as z.ZodType<Record<string, string>>;

function faultsOf(fields: unknown): { message: string; path?: string[] }[] {
  if (!isObject(fields)) return [{ message: 'must be an object' }];
  if (Object.keys(fields).length > MAX_FIELDS) return [{ message: `must have at most ${MAX_FIELDS} members` }];
  const entries = Object.entries(fields);
  const characters = entries.flat().filter(isText).join('').length;
  if (characters > MAX_CHARACTERS) return [{ message: `must have at most ${MAX_CHARACTERS} characters in all` }];
  return entries.flatMap(([name, value]) => {
    if (!token.test(name)) return [{ path: [name], message: 'the name must be an HTTP token' }];
    if (!isText(value)) return [{ path: [name], message: 'must be a string' }];
    return fieldValue.test(value) ? [] : [{ path: [name], message: 'must not contain control characters' }];
  });
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}
