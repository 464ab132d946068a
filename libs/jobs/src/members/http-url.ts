import { z } from 'zod';

/** Behind spaces, which URLs are read without: http or https with a host, and no `@` before the path: as a pattern, so that JSON Schema says it too. */
const withoutCredentials = /^\s*[Hh][Tt][Tt][Pp][Ss]?:\/\/[^/?#\\@]+(?:[/?#\\]|$)/;

/** An absolute `http:` or `https:` URL without credentials in it (RFC 9110 section 4.2.4 deprecates them). */
export const httpUrl = z
  .string()
  .max(2_048, { abort: true }) // first: to encode a host of a megabyte takes a quarter of a second
  .regex(withoutCredentials, {
    error: 'must be an absolute http or https URL, and must not contain a user name or password',
    abort: true,
  })
  .check(z.url({ protocol: /^https?$/, error: 'must be an absolute http or https URL' }));
