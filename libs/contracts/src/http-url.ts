import { z } from 'zod';

/** An absolute `http:` or `https:` URL without credentials in it (RFC 9110 section 4.2.4 deprecates them). */
export const httpUrl = z
  .url({ protocol: /^https?$/, error: 'must be an absolute http or https URL', abort: true })
  .max(2_048)
  .refine((text) => {
    const { username, password } = new URL(text);
    return username === '' && password === '';
  }, 'must not contain a user name or password');
