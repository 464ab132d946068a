import { z } from 'zod';
import { answeredFields, headerFields, httpMethod } from '../members/header-fields.ts';
import { httpUrl } from '../members/http-url.ts';
import { defineJob } from '../definitions/job-definition.ts';

/** Calls a slow HTTP endpoint and stores its answer as the result. */
export const httpRequest = defineJob({
  type: 'http.request',
  description: 'Sends one HTTP request; 5xx, 429 and network faults are retried, other refused statuses are permanent.',
  payload: z.strictObject({
    url: httpUrl,
    method: httpMethod.default('GET'),
    headers: headerFields.default({}),
    body: z.string().optional().describe('Sent as it is; set a content-type header to match.'),
    acceptStatus: z
      .array(z.int().min(200).max(599))
      .min(1)
      .max(400)
      .optional()
      .describe('Statuses that count as success; any 2xx when absent.'),
  }),
  result: z.strictObject({
    status: z.int(),
    headers: answeredFields.describe('Names in lower case; values of one name joined with commas. No set-cookie.'),
    setCookie: z.array(z.string()).optional().describe('Each Set-Cookie line of the answer; absent without one.'),
    body: z.string(),
  }),
});
