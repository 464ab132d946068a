import { z } from 'zod';

/**
 * http or https with a host, and no `@` before the path. Leading spaces are ignored. JSON Schema gets the pattern too.
 */
const withoutCredentials = /^\s*[Hh][Tt][Tt][Pp][Ss]?:\/\/[^/?#\\@]+(?:[/?#\\]|$)/;

/** Schema of an absolute `http:` or `https:` URL without credentials (RFC 9110 section 4.2.4 deprecates them). */
export const httpUrl = z
  .string()
  .max(2_048, { abort: true }) // first: encoding a host of a megabyte takes a quarter of a second
  .regex(withoutCredentials, {
    error: 'must be an absolute http or https URL, and must not contain a user name or password',
    abort: true,
  })
  .check(z.url({ protocol: /^https?$/, error: 'must be an absolute http or https URL' }));
