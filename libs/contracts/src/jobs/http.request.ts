import { z } from 'zod';
import { httpUrl } from '../http-url.ts';
import { defineJob } from '../job-definition.ts';

/** RFC 9110 section 5.6.2: a method or field name is a token. */
const token = z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'must be an HTTP token');

/** RFC 9110 section 5.5: visible characters, spaces and tabs; no line break can be smuggled in. */
const fieldValue = z.string().regex(/^[\t\x20-\x7e\x80-\xff]*$/, 'must not contain control characters');

/** Calls somebody's slow HTTP endpoint and keeps the answer. */
export const httpRequest = defineJob({
  type: 'http.request',
  description: 'Sends one HTTP request; 5xx, 429 and network faults are retried, other refused statuses are permanent.',
  payload: z.strictObject({
    url: httpUrl,
    method: token.max(32).toUpperCase().default('GET'),
    headers: z.record(token, fieldValue).default({}),
    body: z.string().optional().describe('Sent as it is; set a content-type header to match.'),
    acceptStatus: z
      .array(z.int().min(200).max(599))
      .min(1)
      .optional()
      .describe('Statuses that count as success; any 2xx when absent.'),
  }),
  result: z.strictObject({ status: z.int(), headers: z.record(z.string(), z.string()), body: z.string() }),
});
