/** The header fields of answers, for OpenAPI. */
export const headers = {
  'X-Request-Id': ["The request's id in logs: the client's, or a new one.", { type: 'string', minLength: 1 }],
  Location: [
    'Path of the job, or of its webhook deliveries.',
    { type: 'string', pattern: '^/v1/jobs/[0-9a-f-]{36}(/deliveries)?$' },
  ],
  'Content-Location': ['Path of the job in the body.', { type: 'string', pattern: '^/v1/jobs/[0-9a-f-]{36}$' }],
  'Retry-After': [
    'When to send the request again, in seconds: when the job is due or likely to start, or when there is room again.',
    { type: 'integer', minimum: 1 },
  ],
  ETag: [
    "Weak entity tag, made from the job's version. `position` and `etaMs` change without it.",
    { type: 'string', pattern: '^W/"\\d+"$' },
  ],
  'Preference-Applied': [
    'The longest time for which the api holds the request.',
    { type: 'string', pattern: '^wait=\\d+$' },
  ],
  'Idempotency-Replayed': ['The answer repeats that of an earlier request with this key.', { const: 'true' }],
  Deduplicated: ['An unfinished job had this `dedupeKey` already; the api made no new job.', { const: 'true' }],
  'WWW-Authenticate': ['How to authenticate.', { type: 'string', pattern: '^Bearer ' }],
  Accept: ['Media types that the api reads.', { type: 'string' }],
  'Accept-Encoding': ['Content codings that the api reads.', { type: 'string' }],
  RateLimit: [
    'Requests that are left in this minute, where `RATE_LIMIT` is set (draft-ietf-httpapi-ratelimit-headers).',
    { type: 'string' },
  ],
  'RateLimit-Policy': ['The limit of requests in a minute.', { type: 'string' }],
  'Content-Range': ['The length of the file.', { type: 'string' }],
  Allow: ['The methods of the path.', { type: 'string' }],
} as const;

export type HeaderName = keyof typeof headers;
