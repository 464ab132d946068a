import { z } from 'zod';

/** An absolute `http:` or `https:` URL without credentials in it (RFC 9110 section 4.2.4 deprecates them). */
export const httpUrl = z
  .string()
  .max(2_048, { abort: true }) // first: to encode a host of a megabyte takes a quarter of a second
  .check(z.url({ protocol: /^https?$/, error: 'must be an absolute http or https URL', abort: true }))
  .refine((text) => {
    const { username, password } = new URL(text);
    return username === '' && password === '';
  }, 'must not contain a user name or password');
